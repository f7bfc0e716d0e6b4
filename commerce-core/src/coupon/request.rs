use super::Position;
use crate::{CouponId, ErrorCode, TaskId, Timestamp, UserCouponId, UserId};

/// What became of a request for a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestOutcome {
    /// It is not decided yet.
    Pending,
    /// The coupon is in the user's hands.
    Issued {
        /// Since when.
        at: Timestamp,
    },
    /// The coupon was not issued; the place went back.
    Failed {
        /// Why.
        code: ErrorCode,
        /// Since when.
        at: Timestamp,
    },
}

/// A request for a coupon that the gate has admitted, from its admission to its outcome.
///
/// It is stored with the event that asks for the coupon, so that whoever was told its task learns the outcome, in whatever process and after
/// whatever crash; the undecided ones are what a gate is rebuilt from, besides the coupons that were issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponRequest {
    /// Names the request.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who asked.
    pub user_id: UserId,
    /// The id the user's coupon is to have.
    pub user_coupon_id: UserCouponId,
    /// The user's place; the one it came to in the end once the coupon is issued.
    pub position: Position,
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// What became of it.
    pub outcome: RequestOutcome,
}

impl CouponRequest {
    /// Whether it is not decided yet.
    pub fn is_pending(&self) -> bool {
        self.outcome == RequestOutcome::Pending
    }
}

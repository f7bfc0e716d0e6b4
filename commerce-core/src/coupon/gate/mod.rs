//! The gate: decides at once, and without the store, who may have a coupon that many want.

mod in_process;
#[cfg(test)]
mod tests;
mod turnstile;

pub use in_process::InProcessGate;

use super::{Coupon, Position};
use crate::{CouponId, ErrorCode, TaskId, Timestamp, UserId};
use async_trait::async_trait;
use std::error::Error;
use std::time::Duration;

/// Why a gate could not answer. Whether it did what it was asked for is not known: asking again is safe.
#[derive(Debug, thiserror::Error)]
#[error("the coupon gate is unavailable")]
pub struct GateError(#[from] pub Box<dyn Error + Send + Sync>);

/// Somebody asks for a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateRequest {
    /// Names the request: who asks again with the same one is given the same place.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who asks.
    pub user_id: UserId,
    /// When.
    pub now: Timestamp,
    /// How long after an admission the user is not admitted again; zero turns it off.
    pub window: Duration,
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateVerdict {
    /// The request has this place.
    Admitted(Position),
    /// The request has none.
    Refused(GateRefusal),
    /// The gate knows nothing of the coupon, or is about to be told: nobody is admitted until it is opened.
    Closed,
}

/// Why nobody is given a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum GateRefusal {
    /// The user was admitted a short time ago.
    #[error("you asked for this coupon a moment ago: ask again later")]
    TooManyRequests {
        /// When the next request is taken.
        retry_after: Duration,
    },
    /// The coupon does not exist or is not open yet.
    #[error("the coupon does not exist or is not open yet")]
    Inactive,
    /// The coupon can not be asked for any more.
    #[error("the coupon has expired")]
    Expired,
    /// The user has the coupon, or is about to.
    #[error("you have this coupon already")]
    Duplicated,
    /// No place is left.
    #[error("no coupon is left")]
    OutOfStock,
}

impl GateRefusal {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TooManyRequests { .. } => ErrorCode::TooManyRequests,
            Self::Inactive => ErrorCode::InactiveCoupon,
            Self::Expired => ErrorCode::ExpiredCoupon,
            Self::Duplicated => ErrorCode::DuplicatedCoupon,
            Self::OutOfStock => ErrorCode::OutOfStockCoupon,
        }
    }
}

/// A place at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatePlace {
    /// The request it was given to.
    pub task_id: TaskId,
    /// Who has it.
    pub user_id: UserId,
    /// Its number.
    pub position: Position,
    /// When it was given.
    pub at: Timestamp,
    /// Whether the coupon is in the user's hands.
    pub state: PlaceState,
}

/// How far a place has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceState {
    /// The request is not decided.
    Pending,
    /// The coupon is in the user's hands.
    Issued,
}

/// A place whose request is not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPlace {
    /// The coupon.
    pub coupon_id: CouponId,
    /// The request.
    pub task_id: TaskId,
    /// Who asked.
    pub user_id: UserId,
    /// Its number.
    pub position: Position,
    /// When it was given.
    pub at: Timestamp,
}

/// What became of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// The coupon.
    pub coupon_id: CouponId,
    /// The request.
    pub task_id: TaskId,
    /// Who asked.
    pub user_id: UserId,
    /// The place the coupon was issued for; `None` if it was not, and the place goes back.
    pub issued: Option<Position>,
    /// When it was decided.
    pub at: Timestamp,
}

/// How many places of a coupon are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateCensus {
    /// Places of which the coupon is in the user's hands.
    pub issued: u64,
    /// Places whose request is not decided.
    pub pending: u64,
}

/// Admits requests for coupons, first come, first served.
///
/// It is fast and may forget: what it says is not what is issued. The store is the final judge of that.
#[async_trait]
pub trait CouponGate: Send + Sync {
    /// Decides a request, in one atomic step. It MUST check in this order: the request is known (then it MUST give the same place again), the
    /// user's window, open, expired, the user has a place, a place is left. An admitted request MUST get the place after the last one that was
    /// ever given, be pending, and open the user's window; the others MUST change nothing.
    ///
    /// It MUST answer [`GateVerdict::Closed`] for a coupon it was not told of or has forgotten.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn admit(&self, request: &GateRequest) -> Result<GateVerdict, GateError>;

    /// Notes what became of places. One that was issued MUST count as given even if the gate did not know of it, and also while the coupon is closed,
    /// when it counts as if it was loaded; one that was not issued MUST be free again, once, if its request still has it, while the user's window
    /// stays. Settling again changes nothing, and so does settling for a coupon that the gate was not told of, or what was not issued while the
    /// coupon is closed.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn settle(&self, settlements: &[Settlement]) -> Result<(), GateError>;

    /// At most `limit` pending places, of any coupon, that were given before `before`, the oldest first.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn pending(&self, before: Timestamp, limit: usize) -> Result<Vec<PendingPlace>, GateError>;

    /// Closes a coupon, to open it with other places. What is pending is kept. `fence` is that of the lock under which it is rebuilt: unless it is
    /// larger than that of the last one who closed the coupon, nothing MUST change.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn close(&self, coupon: CouponId, fence: u64) -> Result<(), GateError>;

    /// Adds places to those a coupon is to be opened with. Of two places of a user the first counts, but one that is issued before one that is
    /// pending. Only whoever closed the coupon last may, while it is closed: `false` if `fence` is not that of the last [`close`](Self::close), or if
    /// anything that was told since was lost.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn load(&self, coupon: CouponId, fence: u64, places: &[GatePlace]) -> Result<bool, GateError>;

    /// Opens a coupon with the places that were loaded, and those that were pending when it was closed unless their users have loaded ones.
    /// Only whoever closed the coupon last may: `false` if `fence` is not that of the last [`close`](Self::close), or if anything that was told
    /// since was lost. Opening again changes nothing.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn open(&self, coupon: &Coupon, fence: u64) -> Result<bool, GateError>;

    /// How many places of a coupon are given; `None` while it is closed.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn census(&self, coupon: CouponId) -> Result<Option<GateCensus>, GateError>;

    /// Forgets coupons that expired before `before` and of which nothing is pending. A gate whose memory expires by itself has nothing to do.
    ///
    /// # Errors
    /// [`GateError`] if the gate cannot be reached.
    async fn retire(&self, before: Timestamp) -> Result<(), GateError>;
}

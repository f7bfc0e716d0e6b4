use super::{Coupon, CouponError};
use crate::{CouponId, Money, OrderId, TaskId, Timestamp, UserCouponId, UserId};
use serde::{Deserialize, Serialize};

/// The place of an admitted request: 1, 2, 3 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Position(u32);

impl TryFrom<u32> for Position {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("the first place is 1")
    }
}

impl From<Position> for u32 {
    fn from(position: Position) -> Self {
        position.get()
    }
}

impl Position {
    /// The place `number`, or `None` for 0: the first place is 1.
    pub fn new(number: u32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// The number of the place.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The place after this one; `None` after the last there can be.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// Whether a user's coupon can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCouponState {
    /// It can be used until it expires.
    Issued,
    /// It is held by an order.
    Used {
        /// The order.
        order_id: OrderId,
        /// Since when.
        at: Timestamp,
    },
}

/// What a user is shown of a coupon it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserCouponStatus {
    /// It can be used.
    Issued,
    /// It was used.
    Used,
    /// It was not used in time.
    Expired,
}

impl UserCouponStatus {
    /// The status as it is written: `ISSUED`, `USED` or `EXPIRED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Used => "USED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// A coupon in a user's hands. A user holds each coupon at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCoupon {
    /// The id.
    pub id: UserCouponId,
    /// Who holds it.
    pub user_id: UserId,
    /// Which coupon it is.
    pub coupon_id: CouponId,
    /// Whether it can be used.
    pub state: UserCouponState,
    /// The user's place in the rush; unique for each coupon.
    pub position: Position,
    /// The request it was issued for.
    pub task_id: TaskId,
    /// When it was issued.
    pub issued_at: Timestamp,
}

impl UserCoupon {
    /// What the user is shown at `now`.
    pub fn status(&self, coupon: &Coupon, now: Timestamp) -> UserCouponStatus {
        match self.state {
            UserCouponState::Used { .. } => UserCouponStatus::Used,
            UserCouponState::Issued if coupon.expired(now) => UserCouponStatus::Expired,
            UserCouponState::Issued => UserCouponStatus::Issued,
        }
    }

    /// Uses the coupon for an order of `user_id` that costs `original`, and says what comes off. Asking again for the same order gives
    /// the same discount and changes nothing.
    ///
    /// # Errors
    /// [`CouponError::NotOwned`], [`CouponError::AlreadyUsed`] or [`CouponError::Expired`].
    pub fn apply(
        &mut self,
        coupon: &Coupon,
        user_id: UserId,
        order_id: OrderId,
        original: Money,
        now: Timestamp,
    ) -> Result<Money, CouponError> {
        if self.user_id != user_id {
            return Err(CouponError::NotOwned(self.id));
        }
        match self.state {
            UserCouponState::Used { order_id: holder, .. } if holder == order_id => {}
            UserCouponState::Used { .. } => return Err(CouponError::AlreadyUsed(self.id)),
            UserCouponState::Issued if coupon.expired(now) => return Err(CouponError::Expired),
            UserCouponState::Issued => self.state = UserCouponState::Used { order_id, at: now },
        }
        Ok(coupon.discount.of(original))
    }

    /// Takes the coupon back from `order_id`; whether that order held it.
    pub fn give_back(&mut self, order_id: OrderId) -> bool {
        let held = matches!(self.state, UserCouponState::Used { order_id: holder, .. } if holder == order_id);
        if held {
            self.state = UserCouponState::Issued;
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;
    use crate::coupon::{CouponName, Discount};

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn coupon() -> Coupon {
        Coupon {
            id: CouponId::new(1).unwrap(),
            name: CouponName::parse("Welcome").unwrap(),
            discount: Discount::Percent(10),
            initial_stock: 1,
            issued: 1,
            opens_at: None,
            expires_at: Timestamp::from_millis(2_000),
            created_at: Timestamp::from_millis(0),
        }
    }

    fn held() -> UserCoupon {
        UserCoupon {
            id: UserCouponId::new(1).unwrap(),
            user_id: UserId::new(1).unwrap(),
            coupon_id: CouponId::new(1).unwrap(),
            state: UserCouponState::Issued,
            position: Position::new(1).unwrap(),
            task_id: TaskId::new(1).unwrap(),
            issued_at: Timestamp::from_millis(0),
        }
    }

    fn apply(held: &mut UserCoupon, user: i64, order: i64, now: Timestamp) -> Result<i64, ErrorCode> {
        let (user, order) = (UserId::new(user).unwrap(), OrderId::new(order).unwrap());
        held.apply(&coupon(), user, order, Money::new(1_000).unwrap(), now).map(Money::krw).map_err(|refusal| refusal.code())
    }

    #[test]
    fn a_coupon_is_used_for_one_order_of_its_owner() {
        let mut held = held();
        assert_eq!(apply(&mut held, 2, 1, NOW), Err(ErrorCode::InvalidCouponOwnership));
        assert_eq!(apply(&mut held, 1, 1, NOW), Ok(100));
        assert_eq!(apply(&mut held, 1, 1, NOW), Ok(100), "asking again changes nothing");
        assert_eq!(apply(&mut held, 1, 2, NOW), Err(ErrorCode::AlreadyUsedCoupon));
    }

    #[test]
    fn an_expired_coupon_cannot_be_used() {
        assert_eq!(apply(&mut held(), 1, 1, Timestamp::from_millis(2_000)), Err(ErrorCode::ExpiredCoupon));
        assert_eq!(held().status(&coupon(), Timestamp::from_millis(2_000)), UserCouponStatus::Expired);
        assert_eq!(held().status(&coupon(), Timestamp::from_millis(1_999)), UserCouponStatus::Issued);
    }

    #[test]
    fn only_the_order_that_holds_a_coupon_gives_it_back() {
        let mut held = held();
        apply(&mut held, 1, 1, NOW).unwrap();
        assert!(!held.give_back(OrderId::new(2).unwrap()));
        assert!(held.give_back(OrderId::new(1).unwrap()));
        assert!(!held.give_back(OrderId::new(1).unwrap()));
        assert_eq!(held.state, UserCouponState::Issued);
    }
}

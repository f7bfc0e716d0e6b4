//! Typed ids: an [`OrderId`] cannot be passed where a [`UserId`] is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest id, 2^53 − 1: JSON clients that read numbers as doubles lose anything larger.
pub const ID_MAX: i64 = 9_007_199_254_740_991;

/// A number that is no id: ids lie in 1..=[`ID_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no id: ids are whole numbers from 1 to {ID_MAX}")]
pub struct InvalidId(pub i64);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// Checks that `value` is an id.
            ///
            /// # Errors
            /// [`InvalidId`] outside 1..=[`ID_MAX`].
            pub const fn new(value: i64) -> Result<Self, InvalidId> {
                if value >= 1 && value <= ID_MAX { Ok(Self(value)) } else { Err(InvalidId(value)) }
            }

            /// The id as a number, in 1..=[`ID_MAX`].
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;
            fn try_from(value: i64) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// Names a [`User`](crate::user::User).
    UserId,
    /// Names a [`PointEntry`](crate::point::PointEntry); given by the store, rising for each user.
    PointEntryId,
    /// Names a [`Product`](crate::product::Product).
    ProductId,
    /// Names a [`ProductOption`](crate::product::ProductOption), the stock-keeping unit.
    OptionId,
    /// Names a [`StockEntry`](crate::stock::StockEntry); given by the store, rising for each option.
    StockEntryId,
    /// Names a [`Coupon`](crate::coupon::Coupon).
    CouponId,
    /// Names a [`UserCoupon`](crate::coupon::UserCoupon).
    UserCouponId,
    /// Names one request for a coupon, from its admission to its outcome.
    TaskId,
    /// Names an [`Order`](crate::order::Order).
    OrderId,
    /// Names a [`Payment`](crate::payment::Payment).
    PaymentId,
    /// Names an event; given by the store's outbox, the same over every redelivery.
    EventId,
    /// Names a [`DeadLetter`](crate::messaging::DeadLetter).
    DeadLetterId,
}

/// A series of ids that is handed out in blocks, so that an id is known before its row is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sequence {
    /// [`UserId`]s.
    User,
    /// [`ProductId`]s.
    Product,
    /// [`OptionId`]s.
    Option,
    /// [`CouponId`]s.
    Coupon,
    /// [`UserCouponId`]s.
    UserCoupon,
    /// [`TaskId`]s.
    Task,
    /// [`OrderId`]s.
    Order,
    /// [`PaymentId`]s.
    Payment,
}

impl Sequence {
    /// Every sequence.
    pub const ALL: [Self; 8] =
        [Self::User, Self::Product, Self::Option, Self::Coupon, Self::UserCoupon, Self::Task, Self::Order, Self::Payment];

    /// The name a store keeps the sequence under.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Product => "product",
            Self::Option => "option",
            Self::Coupon => "coupon",
            Self::UserCoupon => "user-coupon",
            Self::Task => "task",
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }

    /// How many ids a lease takes: rare aggregates take few, so that a restart leaves a small gap.
    pub(crate) const fn block_len(self) -> u32 {
        match self {
            Self::User | Self::Product | Self::Option | Self::Coupon => 20,
            Self::UserCoupon | Self::Order | Self::Payment => 5_000,
            // Every request for a coupon takes one, and far more ask than are admitted.
            Self::Task => 100_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_positive_and_fits_in_53_bits() {
        assert_eq!(UserId::new(0), Err(InvalidId(0)));
        assert_eq!(UserId::new(-1), Err(InvalidId(-1)));
        assert_eq!(UserId::new(1).map(UserId::get), Ok(1));
        assert_eq!(UserId::new(ID_MAX).map(UserId::get), Ok(ID_MAX));
        assert_eq!(UserId::new(ID_MAX + 1), Err(InvalidId(ID_MAX + 1)));
    }

    #[test]
    fn json_is_a_plain_number_and_is_checked() {
        assert_eq!(serde_json::to_string(&OrderId(7)).unwrap(), "7");
        assert!(serde_json::from_str::<OrderId>("0").is_err());
    }
}

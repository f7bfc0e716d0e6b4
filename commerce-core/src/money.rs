//! Whole Korean won in a checked 64-bit integer; points are the same unit.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of whole KRW (or points, one point = 1 KRW) in 0..=[`Money::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Money(i64);

/// An amount outside 0..=[`Money::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no amount: amounts are whole numbers from 0 to {max}", max = Money::MAX.0)]
pub struct InvalidMoney(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, 2^53 − 1 KRW.
    pub const MAX: Self = Self(9_007_199_254_740_991);

    /// Checks that `krw` is an amount.
    ///
    /// # Errors
    /// [`InvalidMoney`] outside 0..=[`Money::MAX`].
    pub const fn new(krw: i64) -> Result<Self, InvalidMoney> {
        if krw >= 0 && krw <= Self::MAX.0 { Ok(Self(krw)) } else { Err(InvalidMoney(krw)) }
    }

    /// The amount in whole KRW.
    pub const fn krw(self) -> i64 {
        self.0
    }

    /// The sum, or `None` past [`Money::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(|sum| Self::new(sum).ok())
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(|difference| Self::new(difference).ok())
    }

    /// The product, or `None` past [`Money::MAX`].
    #[must_use]
    pub fn checked_mul(self, factor: u32) -> Option<Self> {
        self.0.checked_mul(i64::from(factor)).and_then(|product| Self::new(product).ok())
    }
}

impl TryFrom<i64> for Money {
    type Error = InvalidMoney;
    fn try_from(krw: i64) -> Result<Self, InvalidMoney> {
        Self::new(krw)
    }
}

impl From<Money> for i64 {
    fn from(money: Money) -> i64 {
        money.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_never_leaves_the_range() {
        assert_eq!(Money::MAX.checked_add(Money(1)), None);
        assert_eq!(Money(1).checked_sub(Money(2)), None);
        assert_eq!(Money::MAX.checked_mul(2), None);
        assert_eq!(Money(3).checked_mul(4), Some(Money(12)));
        assert_eq!(Money::new(-1), Err(InvalidMoney(-1)));
    }
}

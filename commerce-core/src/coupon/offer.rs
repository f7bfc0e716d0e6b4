use crate::{CouponId, ErrorCode, Money, Timestamp, UserCouponId};

const NAME_CHARS_MIN: usize = 5;
const NAME_CHARS_MAX: usize = 20;
const INITIAL_STOCK_MAX: i64 = 100_000_000;
const PERCENT_MAX: i64 = 100;

/// Why a coupon cannot be made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CouponError {
    /// The name is not 5–20 characters once trimmed.
    #[error("a coupon's name must have {NAME_CHARS_MIN} to {NAME_CHARS_MAX} characters")]
    InvalidName,
    /// A percentage outside 1–100.
    #[error("a PERCENT discount must be from 1 to {PERCENT_MAX}")]
    InvalidPercent,
    /// A fixed discount that is not above 0.
    #[error("a FIXED discount must be from 1 to {} whole KRW", Money::MAX)]
    InvalidFixed,
    /// The number of coupons is outside 0–100,000,000.
    #[error("the initial stock of a coupon must be from 0 to {INITIAL_STOCK_MAX}")]
    InvalidInitialStock,
    /// The coupon would end before it begins, or has ended.
    #[error("a coupon must expire in the future, and after it opens")]
    InvalidPeriod,
    /// The user's coupon does not exist.
    #[error("user coupon {0} does not exist")]
    UserCouponNotFound(UserCouponId),
    /// The coupon belongs to another user.
    #[error("user coupon {0} belongs to another user")]
    NotOwned(UserCouponId),
    /// The coupon was used for another order.
    #[error("user coupon {0} is used already")]
    AlreadyUsed(UserCouponId),
    /// The coupon has expired.
    #[error("the coupon has expired")]
    Expired,
}

impl CouponError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidName | Self::InvalidInitialStock | Self::InvalidPeriod => ErrorCode::InvalidParameter,
            Self::InvalidPercent => ErrorCode::InvalidPercentDiscount,
            Self::InvalidFixed => ErrorCode::InvalidFixedDiscount,
            Self::UserCouponNotFound(_) => ErrorCode::NotFoundUserCoupon,
            Self::NotOwned(_) => ErrorCode::InvalidCouponOwnership,
            Self::AlreadyUsed(_) => ErrorCode::AlreadyUsedCoupon,
            Self::Expired => ErrorCode::ExpiredCoupon,
        }
    }
}

/// The name of a coupon: 5–20 characters after trimming. It is no code that anybody types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponName(String);

impl CouponName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`CouponError::InvalidName`] outside 5–20 characters.
    pub fn parse(text: &str) -> Result<Self, CouponError> {
        let name = text.trim();
        let fits = (NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains('\0');
        if fits { Ok(Self(name.to_owned())) } else { Err(CouponError::InvalidName) }
    }

    /// The trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a discount is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiscountKind {
    /// A fixed amount.
    Fixed,
    /// A part of the price.
    Percent,
}

impl DiscountKind {
    /// The kind as it is stored: `FIXED` or `PERCENT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "FIXED",
            Self::Percent => "PERCENT",
        }
    }

    /// Reads `FIXED` or `PERCENT`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fixed, Self::Percent].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a coupon takes off an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discount {
    /// This many KRW, at most the whole price; above zero.
    Fixed(Money),
    /// This percentage of the price, 1–100, rounded down.
    Percent(u8),
}

impl Discount {
    /// Checks a discount.
    ///
    /// # Errors
    /// [`CouponError::InvalidFixed`] for a fixed amount that is not above 0, [`CouponError::InvalidPercent`] outside 1–100.
    pub fn new(kind: DiscountKind, value: i64) -> Result<Self, CouponError> {
        match kind {
            DiscountKind::Fixed => Money::new(value).ok().filter(|v| *v > Money::ZERO).map(Self::Fixed).ok_or(CouponError::InvalidFixed),
            DiscountKind::Percent => u8::try_from(value)
                .ok()
                .filter(|_| (1..=PERCENT_MAX).contains(&value))
                .map(Self::Percent)
                .ok_or(CouponError::InvalidPercent),
        }
    }

    /// How it is reckoned.
    pub const fn kind(self) -> DiscountKind {
        match self {
            Self::Fixed(_) => DiscountKind::Fixed,
            Self::Percent(_) => DiscountKind::Percent,
        }
    }

    /// KRW or percent.
    pub const fn value(self) -> i64 {
        match self {
            Self::Fixed(amount) => amount.krw(),
            Self::Percent(percent) => percent as i64,
        }
    }

    /// What comes off `original`; never more than `original`.
    pub fn of(self, original: Money) -> Money {
        match self {
            Self::Fixed(amount) => amount.min(original),
            Self::Percent(percent) => {
                let off = i128::from(original.krw()) * i128::from(percent) / i128::from(PERCENT_MAX);
                i64::try_from(off).ok().and_then(|krw| Money::new(krw).ok()).map_or(original, |off| off.min(original))
            }
        }
    }
}

/// A coupon that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCoupon {
    /// The name.
    pub name: CouponName,
    /// What it takes off.
    pub discount: Discount,
    /// How many there are, 0–100,000,000.
    pub initial_stock: i64,
    /// When it can be asked for; from the start if absent.
    pub opens_at: Option<Timestamp>,
    /// When it can neither be asked for nor used any more.
    pub expires_at: Timestamp,
}

/// A coupon that is offered, first come, first served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// The coupon's id.
    pub id: CouponId,
    /// The name.
    pub name: CouponName,
    /// What it takes off.
    pub discount: Discount,
    /// How many there are.
    pub initial_stock: u32,
    /// How many were issued; never more than there are.
    pub issued: u32,
    /// When it can be asked for; from the start if absent.
    pub opens_at: Option<Timestamp>,
    /// When it can neither be asked for nor used any more.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Coupon {
    /// Offers a coupon.
    ///
    /// # Errors
    /// [`CouponError::InvalidInitialStock`] outside 0–100,000,000; [`CouponError::InvalidPeriod`] if it would not expire after `now` and
    /// after it opens.
    pub fn create(id: CouponId, new: NewCoupon, now: Timestamp) -> Result<Self, CouponError> {
        let initial_stock = match u32::try_from(new.initial_stock) {
            Ok(stock) if new.initial_stock <= INITIAL_STOCK_MAX => stock,
            _ => return Err(CouponError::InvalidInitialStock),
        };
        if new.expires_at <= now || new.opens_at.is_some_and(|opens_at| opens_at >= new.expires_at) {
            return Err(CouponError::InvalidPeriod);
        }
        let NewCoupon { name, discount, opens_at, expires_at, .. } = new;
        Ok(Self { id, name, discount, initial_stock, issued: 0, opens_at, expires_at, created_at: now })
    }

    /// How many are left.
    pub fn remaining(&self) -> u32 {
        self.initial_stock.saturating_sub(self.issued)
    }

    /// Takes one of those that are left, to be issued; whether there was one.
    #[must_use]
    pub fn take_one(&mut self) -> bool {
        let left = self.remaining() > 0;
        self.issued += u32::from(left);
        left
    }

    /// Whether it can neither be asked for nor used any more.
    pub fn expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krw(amount: i64) -> Money {
        Money::new(amount).unwrap()
    }

    #[test]
    fn a_fixed_discount_is_at_most_the_price() {
        let discount = Discount::new(DiscountKind::Fixed, 3_000).unwrap();
        assert_eq!(discount.of(krw(10_000)), krw(3_000));
        assert_eq!(discount.of(krw(2_999)), krw(2_999));
        assert_eq!(Discount::new(DiscountKind::Fixed, 0), Err(CouponError::InvalidFixed));
    }

    #[test]
    fn a_percentage_is_rounded_down_and_does_not_overflow() {
        let discount = Discount::new(DiscountKind::Percent, 33).unwrap();
        assert_eq!(discount.of(krw(100)), krw(33));
        assert_eq!(discount.of(krw(2)), krw(0));
        assert_eq!(Discount::new(DiscountKind::Percent, 100).unwrap().of(Money::MAX), Money::MAX);
        assert_eq!(Discount::new(DiscountKind::Percent, 0), Err(CouponError::InvalidPercent));
        assert_eq!(Discount::new(DiscountKind::Percent, 101), Err(CouponError::InvalidPercent));
    }

    #[test]
    fn a_coupon_expires_in_the_future_and_after_it_opens() {
        let at = Timestamp::from_millis;
        let new = |opens_at, expires_at| NewCoupon {
            name: CouponName::parse("Welcome").unwrap(),
            discount: Discount::Percent(10),
            initial_stock: 1,
            opens_at,
            expires_at,
        };
        let create = |new| Coupon::create(CouponId::new(1).unwrap(), new, at(100));
        assert_eq!(create(new(None, at(100))), Err(CouponError::InvalidPeriod));
        assert_eq!(create(new(Some(at(200)), at(200))), Err(CouponError::InvalidPeriod));
        assert!(create(new(Some(at(50)), at(101))).is_ok());
        assert_eq!(create(NewCoupon { initial_stock: 100_000_001, ..new(None, at(101)) }), Err(CouponError::InvalidInitialStock));
        assert_eq!(create(NewCoupon { initial_stock: -1, ..new(None, at(101)) }), Err(CouponError::InvalidInitialStock));
    }
}

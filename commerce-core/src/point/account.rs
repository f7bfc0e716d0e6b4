use crate::{ErrorCode, Money, OrderId, PointEntryId, Timestamp, UserId};

const CHARGE_MIN: i64 = 1_000;
const CHARGE_MAX: i64 = 1_000_000;

/// Why points cannot be charged or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// The amount is outside 1,000–1,000,000.
    #[error("a charge must be from {CHARGE_MIN} to {CHARGE_MAX} points")]
    InvalidAmount,
    /// The balance would pass [`Money::MAX`].
    #[error("the balance would pass {max}: use some points first", max = Money::MAX)]
    BalanceTooLarge,
    /// The balance is smaller than what is to be paid.
    #[error("the balance of {balance} is less than {needed}: charge points and try again")]
    Insufficient {
        /// What the user has.
        balance: Money,
        /// What the user needs.
        needed: Money,
    },
    /// There is no such user.
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
}

impl PointError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidAmount | Self::BalanceTooLarge => ErrorCode::InvalidUserPoint,
            Self::Insufficient { .. } => ErrorCode::InsufficientUserPoint,
            Self::UserNotFound(_) => ErrorCode::InactiveUser,
        }
    }
}

/// An amount that can be charged at once: 1,000–1,000,000 points inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeAmount(Money);

impl ChargeAmount {
    /// Checks the amount.
    ///
    /// # Errors
    /// [`PointError::InvalidAmount`] outside 1,000–1,000,000.
    pub fn new(points: i64) -> Result<Self, PointError> {
        match Money::new(points) {
            Ok(amount) if (CHARGE_MIN..=CHARGE_MAX).contains(&points) => Ok(Self(amount)),
            _ => Err(PointError::InvalidAmount),
        }
    }

    /// The amount in points.
    pub const fn amount(self) -> Money {
        self.0
    }
}

/// Why a balance changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointKind {
    /// The user paid in.
    Charge,
    /// An order was paid.
    Use,
    /// A payment was given back.
    Refund,
}

impl PointKind {
    /// The kind as it is stored: `CHARGE`, `USE` or `REFUND`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Use => "USE",
            Self::Refund => "REFUND",
        }
    }

    /// Reads `CHARGE`, `USE` or `REFUND`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Charge, Self::Use, Self::Refund].into_iter().find(|kind| kind.as_str() == text)
    }

    /// +1 if entries of this kind raise the balance, −1 if they lower it.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Charge | Self::Refund => 1,
            Self::Use => -1,
        }
    }
}

/// A line of the ledger that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPointEntry {
    /// Whose balance changed.
    pub user_id: UserId,
    /// Why.
    pub kind: PointKind,
    /// By how much; above zero.
    pub amount: Money,
    /// What the balance was then.
    pub balance_after: Money,
    /// The order that was paid or given back.
    pub order_id: Option<OrderId>,
    /// The key the client sent with the charge.
    pub idempotency_key: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A line of the append-only ledger of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointEntry {
    /// Rises with every change of the same balance.
    pub id: PointEntryId,
    /// What happened.
    pub change: NewPointEntry,
}

/// The points of one user; made with the user, at a balance of zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointAccount {
    /// Whose points these are.
    pub user_id: UserId,
    /// What can be spent.
    pub balance: Money,
    /// Counts the saves: a save is refused if another one came between. See [`PointRepository::save`](super::PointRepository::save).
    pub version: u32,
}

impl PointAccount {
    /// The account of a new user.
    pub const fn open(user_id: UserId) -> Self {
        Self { user_id, balance: Money::ZERO, version: 0 }
    }

    /// Pays in.
    ///
    /// # Errors
    /// [`PointError::BalanceTooLarge`] if the balance would pass [`Money::MAX`].
    pub fn charge(&mut self, amount: ChargeAmount, key: Option<String>, now: Timestamp) -> Result<NewPointEntry, PointError> {
        self.balance = self.balance.checked_add(amount.0).ok_or(PointError::BalanceTooLarge)?;
        Ok(self.charged(amount, key, now))
    }

    /// What the ledger says of a charge that is in the balance already.
    pub(super) fn charged(&self, amount: ChargeAmount, key: Option<String>, now: Timestamp) -> NewPointEntry {
        NewPointEntry { idempotency_key: key, ..self.entry(PointKind::Charge, amount.0, None, now) }
    }

    /// Pays for an order. An order that costs nothing leaves no entry.
    ///
    /// # Errors
    /// [`PointError::Insufficient`] if the balance is smaller than `amount`.
    pub fn pay(&mut self, amount: Money, order_id: OrderId, now: Timestamp) -> Result<Option<NewPointEntry>, PointError> {
        let short = PointError::Insufficient { balance: self.balance, needed: amount };
        self.balance = self.balance.checked_sub(amount).ok_or(short)?;
        Ok((amount > Money::ZERO).then(|| self.entry(PointKind::Use, amount, Some(order_id), now)))
    }

    /// Gives back what an order had cost. An order that cost nothing leaves no entry.
    ///
    /// # Errors
    /// [`PointError::BalanceTooLarge`] if the balance would pass [`Money::MAX`].
    pub fn refund(&mut self, amount: Money, order_id: OrderId, now: Timestamp) -> Result<Option<NewPointEntry>, PointError> {
        self.balance = self.balance.checked_add(amount).ok_or(PointError::BalanceTooLarge)?;
        Ok((amount > Money::ZERO).then(|| self.entry(PointKind::Refund, amount, Some(order_id), now)))
    }

    fn entry(&self, kind: PointKind, amount: Money, order_id: Option<OrderId>, at: Timestamp) -> NewPointEntry {
        NewPointEntry { user_id: self.user_id, kind, amount, balance_after: self.balance, order_id, idempotency_key: None, at }
    }
}

#[cfg(test)]
mod tests;

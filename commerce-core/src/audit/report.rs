use crate::coupon::GateError;
use crate::ranking::BoardError;
use crate::store::StoreError;
use std::fmt;
use std::time::Duration;

/// An invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    /// Every balance is the sum of its ledger entries, and each entry's `balance after` is the running sum.
    A1,
    /// Every option's stock is the sum of its ledger entries.
    A2,
    /// Orders that await payment or are completed hold exactly their items; orders that ended otherwise hold nothing.
    A3,
    /// Every completed order is paid exactly once, every refunded order got back exactly what it had paid, and no other order either.
    A4,
    /// Of every coupon as many are issued as users hold, no more than there are, each place once.
    A5,
    /// A user coupon is used exactly while an order holds it.
    A6,
    /// Every order's total follows from its items and its coupon.
    A7,
    /// Nothing is stuck: no undelivered event, no order that is pending for too long, no request for a coupon that is not decided; and the gates
    /// count what was issued.
    A8,
    /// Every daily board of the ranking counts what was sold that day.
    A9,
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Something that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant.
    pub check: CheckId,
    /// What it does not hold for, such as `option 7`.
    pub subject: String,
    /// What was found.
    pub detail: String,
    /// Whether it could have been on its way to be set right; it has stayed for the whole of [`AuditOptions::settle`] then.
    pub in_flight: bool,
}

/// Writes one line, such as `A2 option 7: stock is 12 but its ledger sums to 13`.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.check, self.subject, self.detail)
    }
}

/// Why an audit could not look.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A coupon gate failed.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A board of the ranking failed.
    #[error(transparent)]
    Board(#[from] BoardError),
}

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditOptions {
    /// How long an order may be pending: 60 s unless somebody says otherwise.
    pub saga_deadline: Duration,
    /// How long something that may be on its way may take to be set right: 10 s unless somebody says otherwise, which is
    /// longer than it takes to ask again for what a crashed process has left behind.
    pub settle: Duration,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { saga_deadline: Duration::from_mins(1), settle: Duration::from_secs(10) }
    }
}

/// How far an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditProgress {
    /// The table that is read.
    pub table: &'static str,
    /// How many of its rows were read.
    pub rows: u64,
}

/// How many rows were checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditCounts {
    /// Point accounts.
    pub accounts: u64,
    /// Entries of the ledger of points.
    pub point_entries: u64,
    /// Options with stock.
    pub stock: u64,
    /// Entries of the stock ledger.
    pub stock_entries: u64,
    /// Orders.
    pub orders: u64,
    /// Payments.
    pub payments: u64,
    /// Coupons.
    pub coupons: u64,
    /// User coupons.
    pub user_coupons: u64,
    /// Coupon gates that are open.
    pub gates: u64,
    /// Daily boards of the ranking.
    pub boards: u64,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// What was looked at.
    pub checked: AuditCounts,
    /// What does not add up, at most 10,000.
    pub violations: Vec<Violation>,
    /// How many more there are.
    pub omitted: u64,
}

impl AuditReport {
    /// Whether everything adds up.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.omitted == 0
    }
}

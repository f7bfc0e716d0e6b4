//! Points: the money a user has paid in, and its ledger.

mod account;
mod charge;
mod repository;

pub use account::{ChargeAmount, NewPointEntry, PointAccount, PointEntry, PointError, PointKind};
pub use charge::{Charge, ChargePoints};
pub use repository::PointRepository;

//! Points: the money a user has paid in, and its ledger.

mod account;
mod charge;
mod charge_in_place;
mod repository;

pub use account::{ChargeAmount, NewPointEntry, PointAccount, PointEntry, PointError, PointKind};
pub use charge::{Charge, ChargePoints};
pub use charge_in_place::ChargeInPlace;
pub use repository::PointRepository;

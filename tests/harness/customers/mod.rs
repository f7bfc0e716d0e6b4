//! Customers who do all that one can do in a shop, go on whatever becomes of its servers, remember what they were told, and hold the shop to it in the end.
//! They serve every test that breaks a shop under load.

mod account;
mod chance;
pub(crate) mod client;
mod crowd;
mod customer;
mod doors;
pub(crate) mod journal;
mod offers;
mod patience;
mod promises;
mod wish;

pub(crate) use chance::Chance;
pub(crate) use crowd::Crowd;
use customer::Customer;
pub(crate) use customer::Pace;
pub(crate) use doors::Doors;
pub(crate) use journal::Journal;
pub(crate) use offers::Offers;
pub(crate) use patience::{PATIENCE, eventually, eventually_within};
pub(crate) use wish::Kind;

//! Who acts in a run.

mod administrator;
mod buyer;
mod buyer_coupons;
mod buyer_orders;
mod client;
mod keyed;
mod nature;
mod refusal;

pub(crate) use administrator::Administrator;
pub(crate) use buyer::{Buyer, Public};
pub(crate) use client::Client;
pub(crate) use nature::rage;

//! What SQL databases share: repositories, queries and row mappings, written once over the small [`backend::Backend`] trait that
//! gathers where the dialects differ.

pub(crate) mod backend;
mod coupon_requests;
mod coupons;
mod dead_letters;
mod fences;
mod fields;
mod idempotency;
mod inbox;
mod lasting;
mod link;
pub(crate) mod messages;
mod orders;
mod outbox;
mod payments;
mod points;
mod products;
mod queries;
mod sales;
mod schema;
mod snapshot;
pub(crate) mod statements;
mod stock;
mod unit_of_work;
mod users;
mod value;

pub(crate) use backend::{Backend, Session};
pub(crate) use fields::{Fields, read_whole};
pub(crate) use lasting::Lasting;
pub(crate) use link::{Lender, Link};
#[cfg(feature = "mysql")]
pub(crate) use link::{answer, settle};
pub(crate) use queries::SqlQueries;
pub(crate) use schema::migrations;
pub use schema::{OpenError, SchemaState};
pub(crate) use snapshot::SqlSnapshot;
pub(crate) use unit_of_work::SqlUnitOfWork;
pub(crate) use value::Value;

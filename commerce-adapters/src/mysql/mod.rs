//! The store on MySQL 8.0 and later, or MariaDB 10.6 and later, which any number of processes share.
//!
//! Units of work run at READ COMMITTED, lock the rows they are about to change in ascending order, and write with statements of many rows. What
//! the driver and the servers make of cancelled callers, of deadlocks and of lost connections is dealt with here, so that the core sees the few
//! errors it knows.

mod backend;
mod connections;
mod error;
mod lent;
mod locks;
mod options;
mod purge;
mod schema;
mod sequence;
mod session;
mod store;

pub use crate::sql::{OpenError, SchemaState};
pub use locks::MysqlLocks;
pub use options::{InvalidOptions, MysqlOptions};
pub use store::MysqlStore;

//! The store in one SQLite file: a single writer, readers apart, and nothing else to install.
//!
//! SQLite lets one transaction write at a time. So there is one connection that writes, handed from unit of work to unit of work, and every
//! transaction on it begins with `BEGIN IMMEDIATE`: a transaction that reads first and writes later would fail when another process
//! wrote in between. Readers have connections of their own and, with the write-ahead log, never wait for the writer.

mod backend;
mod board;
mod commits;
mod error;
#[cfg(feature = "embedded")]
mod fence;
#[cfg(feature = "embedded")]
mod log;
mod options;
#[cfg(all(test, feature = "embedded"))]
mod plans;
mod purge;
mod schema;
mod sequence;
mod session;
mod store;
mod writer;

pub use crate::sql::{OpenError, SchemaState};
pub use board::SqliteBoard;
pub use options::{Durability, Migrate, SqliteOptions};
pub use store::SqliteStore;

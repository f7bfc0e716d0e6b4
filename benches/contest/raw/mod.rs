//! Bare statements through the same driver, without the library: what a store can do at best.

#[cfg(feature = "distributed")]
mod mysql;
mod sqlite;

#[cfg(feature = "distributed")]
pub(crate) use mysql::RawMysql;
pub(crate) use sqlite::RawSqlite;

use async_trait::async_trait;
use sqlx::Error;

/// How many rows there are to change.
pub(crate) const ROWS: i64 = 1_024;

/// What a guarded change comes to without a guard: a row is changed and a line added to a ledger, in one transaction that is synced to the disk.
#[async_trait]
pub(crate) trait Raw: Send + Sync {
    /// Takes a unit from a row, and adds `lines` lines to the ledger.
    async fn change(&self, row: i64, lines: u32) -> Result<(), Error>;

    /// Reads a row.
    async fn read(&self, row: i64) -> Result<(), Error>;

    /// Reads so many lines of the ledger behind one of them.
    async fn read_lines(&self, after: i64, lines: u32) -> Result<(), Error>;
}

/// Reads lines of the ledger.
const READ_LINES: &str = "SELECT id, row_id, delta, kind FROM raw_lines WHERE id > ? ORDER BY id LIMIT ?";

/// A line of the ledger.
type Line = (i64, i64, i64, String);

/// A statement that adds so many lines for the row that is bound to each.
fn insert(lines: u32) -> String {
    let lines = (0..lines).map(|_| "(?, -1, 'RESERVE')").collect::<Vec<_>>().join(", ");
    format!("INSERT INTO raw_lines (row_id, delta, kind) VALUES {lines}")
}

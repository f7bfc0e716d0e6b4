use super::error::store_error;
use super::session::SqliteSession;
use crate::sql::statements::{Guard, Update};
use crate::sql::{Backend, Lender, Link, Value};
use async_trait::async_trait;
use commerce_core::store::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqliteQueryResult};
use sqlx::{Pool, QueryBuilder, Sqlite};
use std::time::Duration;

/// The driver runs each statement to its end in a thread of its own, whether somebody waits for it or not.
macro_rules! link {
    ($connection:ty) => {
        impl Link<Sqlite> for $connection {
            fn start(&mut self) -> Result<&mut SqliteConnection, StoreError> {
                Ok(self)
            }

            fn end(&mut self) {}

            fn patience(&self) -> Option<Duration> {
                None
            }
        }
    };
}
link!(SqliteConnection);
link!(PoolConnection<Sqlite>);

#[async_trait]
impl Lender<Sqlite> for Pool<Sqlite> {
    async fn lend(&self) -> Result<Box<dyn Link<Sqlite>>, StoreError> {
        Ok(Box::new(self.acquire().await.map_err(store_error)?))
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

impl Backend for Sqlite {
    type Session = SqliteSession;

    // The one writer has the whole file locked.
    const FOR_UPDATE: &'static str = "";
    const SKIP_LOCKED: &'static str = "";
    const ROWS_MAX: usize = 256;
    // A dozen tables times this stays below the statements that are kept, and each saved statement saves a trip to SQLite's thread.
    const INSERT_ROWS_EXACT: usize = 48;
    const RETURNS: bool = true;
    const NUMBERS_ROWS: bool = true;
    // What a relay has sent, or what every group that reads the outbox itself has acknowledged.
    const UNDELIVERED: &'static str = "sent_at IS NULL AND seq > (SELECT COALESCE(MIN(seq), 0) FROM bus_offsets)";

    fn push_ignore(query: &mut QueryBuilder<Self>, _column: &str) {
        // `INSERT OR IGNORE` would pass over rows that break any constraint.
        query.push(" ON CONFLICT DO NOTHING");
    }

    /// `UPDATE t SET a = v.column2, version = t.version + 1 FROM (VALUES (?, ?, ?), …) AS v WHERE t.id = v.column1 AND t.version = v.column3`
    fn push_update(query: &mut QueryBuilder<Self>, update: &Update, rows: &[Vec<Value>]) {
        let Update { table, key, columns, guard } = update;
        query.push("UPDATE ").push(table).push(" SET ");
        let mut assignments = query.separated(", ");
        for (column, place) in columns.iter().zip(2..) {
            assignments.push(format_args!("{column} = v.column{place}"));
        }
        if *guard == Guard::Version {
            assignments.push(format_args!("version = {table}.version + 1"));
        }
        query.push(" FROM (").push_values(rows, |mut row, values| values.iter().for_each(|value| value.clone().bind(&mut row)));
        query.push(format_args!(") AS v WHERE {table}.{key} = v.column1"));
        if *guard == Guard::Version {
            query.push(format_args!(" AND {table}.version = v.column{}", columns.len() + 2));
        }
    }

    fn push_pairs(query: &mut QueryBuilder<Self>, columns: [&str; 2], pairs: &[[Value; 2]]) {
        query.push(format_args!("({}) IN (", columns.join(", ")));
        query.push_values(pairs, |mut row, pair| pair.iter().for_each(|value| value.clone().bind(&mut row))).push(")");
    }

    fn push_like(query: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        query.push(column).push(" LIKE ").push_bind(pattern).push(" ESCAPE '!'");
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn last_id(result: &SqliteQueryResult) -> i64 {
        result.last_insert_rowid()
    }

    fn by_index(_index: &str) -> String {
        String::new()
    }

    fn error(error: sqlx::Error) -> StoreError {
        store_error(error)
    }
}

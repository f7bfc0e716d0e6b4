use super::error::store_error;
use super::session::SqliteSession;
use crate::sql::backend::{Backend, Row};
use crate::sql::statements::{Guard, Update};
use commerce_core::store::StoreError;
use sqlx::sqlite::SqliteQueryResult;
use sqlx::{QueryBuilder, Sqlite};

impl Backend for Sqlite {
    type Session = SqliteSession;

    // The one writer has the whole file locked.
    const FOR_UPDATE: &'static str = "";
    const SKIP_LOCKED: &'static str = "";
    // `INSERT OR IGNORE` would pass over rows that break any constraint.
    const INSERT_IGNORE: [&'static str; 2] = ["INSERT INTO ", " ON CONFLICT DO NOTHING"];

    // A dozen tables times this stays below the statements that are kept, and each saved statement saves a trip to SQLite's thread.
    const INSERT_ROWS_EXACT: usize = 48;

    /// `UPDATE t SET a = v.column2, version = t.version + 1 FROM (VALUES (?, ?, ?), …) AS v WHERE t.id = v.column1 AND t.version = v.column3`
    fn push_update<T>(query: &mut QueryBuilder<Self>, update: &Update, rows: impl Iterator<Item = T>, bind: impl FnMut(Row<'_, Self>, T)) {
        let Update { table, key, columns, guard } = update;
        query.push("UPDATE ").push(table).push(" SET ");
        let mut assignments = query.separated(", ");
        for (column, place) in columns.iter().zip(2..) {
            assignments.push(format_args!("{column} = v.column{place}"));
        }
        if *guard == Guard::Version {
            assignments.push(format_args!("version = {table}.version + 1"));
        }
        query.push(" FROM (").push_values(rows, bind).push(format_args!(") AS v WHERE {table}.{key} = v.column1"));
        if *guard == Guard::Version {
            query.push(format_args!(" AND {table}.version = v.column{}", columns.len() + 2));
        }
    }

    fn rows_affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    fn first_id(result: &SqliteQueryResult, rows: i64) -> i64 {
        result.last_insert_rowid() - rows + 1
    }

    fn error(error: sqlx::Error) -> StoreError {
        store_error(error)
    }
}

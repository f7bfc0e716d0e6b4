use super::error::store_error;
use super::session::MysqlSession;
use crate::sql::statements::{Guard, Update};
use crate::sql::{Backend, Value};
use commerce_core::store::StoreError;
use sqlx::mysql::MySqlQueryResult;
use sqlx::{MySql, QueryBuilder};

impl Backend for MySql {
    type Session = MysqlSession;

    const FOR_UPDATE: &'static str = " FOR UPDATE";
    const SKIP_LOCKED: &'static str = " FOR UPDATE SKIP LOCKED";
    // A server keeps every prepared statement of every connection in its memory, and a statement of more rows is hardly faster.
    const ROWS_MAX: usize = 64;
    const INSERT_ROWS_EXACT: usize = 8;
    const RETURNS: bool = false;
    // A server of a cluster may give every n-th id only.
    const NUMBERS_ROWS: bool = false;
    // Whoever reads events reads them from a bus: they are delivered once they are there.
    const UNDELIVERED: &'static str = "sent_at IS NULL";

    fn push_ignore(query: &mut QueryBuilder<Self>, column: &str) {
        // `INSERT IGNORE` would pass over all kinds of errors, and write what it cut to fit.
        query.push(format_args!(" ON DUPLICATE KEY UPDATE {column} = {column}"));
    }

    /// `UPDATE t SET a = CASE id WHEN ? THEN ? … END, version = version + 1 WHERE id IN (?, …) AND version = CASE id WHEN ? THEN ? … END`
    ///
    /// Both servers know it, both read nothing but the rows by their keys, and a row counts as found once however often its key is listed. A
    /// join with the rows, written as a UNION or as JSON, is slower up to some sixty rows.
    fn push_update(query: &mut QueryBuilder<Self>, update: &Update, rows: &[Vec<Value>]) {
        let Update { table, key, columns, guard } = update;
        query.push(format_args!("UPDATE {table} SET "));
        for (column, at) in columns.iter().zip(1..) {
            query.push(if at == 1 { "" } else { ", " }).push(column).push(" = ");
            push_case(query, key, rows, at);
        }
        if *guard == Guard::Version {
            query.push(", version = version + 1");
        }
        query.push(format_args!(" WHERE {key} IN ("));
        for (row, at) in rows.iter().zip(0..) {
            query.push(if at == 0 { "" } else { ", " });
            row[0].clone().push(query);
        }
        query.push(")");
        if *guard == Guard::Version {
            query.push(" AND version = ");
            push_case(query, key, rows, columns.len() + 1);
        }
    }

    fn push_pairs(query: &mut QueryBuilder<Self>, [first, second]: [&str; 2], pairs: &[[Value; 2]]) {
        // MariaDB looks up no list of pairs. Of two lists both servers would try each combination, or give up and read everything.
        for ([a, b], at) in pairs.iter().zip(0..) {
            query.push(if at == 0 { "(" } else { " OR " }).push(first).push(" = ");
            a.clone().push(query);
            query.push(" AND ").push(second).push(" = ");
            b.clone().push(query);
        }
        query.push(")");
    }

    fn push_like(query: &mut QueryBuilder<Self>, column: &str, pattern: String) {
        // Other letters than those of ASCII lose their case, too.
        query.push(format_args!("LOWER({column}) LIKE LOWER(")).push_bind(pattern).push(") ESCAPE '!'");
    }

    fn rows_affected(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    fn last_id(result: &MySqlQueryResult) -> i64 {
        i64::try_from(result.last_insert_id()).unwrap_or(i64::MAX)
    }

    fn by_index(index: &str) -> String {
        format!(" FORCE INDEX ({index})")
    }

    fn error(error: sqlx::Error) -> StoreError {
        store_error(error)
    }
}

/// Writes what a value is by the key of its row.
fn push_case(query: &mut QueryBuilder<MySql>, key: &str, rows: &[Vec<Value>], at: usize) {
    query.push(format_args!("CASE {key}"));
    for row in rows {
        query.push(" WHEN ");
        row[0].clone().push(query);
        query.push(" THEN ");
        row[at].clone().push(query);
    }
    query.push(" END");
}

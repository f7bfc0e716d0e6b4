//! No statement reads a whole table that grows with the business, or locks rows it was not asked for.

use crate::database::Database;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Executor, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a table that is small, and of one that is not.
const FEW: u32 = 30;
const MANY: u32 = 10_000;
/// Longer lists say no more than shorter ones.
const LISTED_MAX: usize = 64;

/// What reads every row by design: the audit looks for orders that are named but do not exist.
const ORPHANS: &str = "SELECT order_id FROM (SELECT t.order_id";

/// Columns whose words mean something, and what they are in a row.
const WORDS: [(&str, &str); 8] = [
    ("coupon_requests.status", "'ISSUED'"),
    ("coupon_requests.failure", "NULL"),
    ("user_coupons.status", "'USED'"),
    ("payments.status", "'COMPLETED'"),
    ("orders.status", "'COMPLETED'"),
    ("inbox.group_name", "'stock'"),
    ("dead_letters.group_name", "'stock'"),
    ("idempotency_records.fingerprint", "UNHEX(SHA2(n, 256))"),
];
/// Columns of which many rows have the same number, but for tables where they are the key.
const SHARED: [&str; 4] = ["user_id", "product_id", "option_id", "coupon_id"];

/// Looks at the plans of statements that ran on a database.
pub(crate) async fn assert_sound(database: &Database, statements: BTreeSet<String>) {
    let mut connection = database.connection().await;
    let statements: Vec<String> = statements.into_iter().filter(|statement| is_planned(statement)).collect();
    assert!(statements.len() > 100, "only {} statements ran", statements.len());
    let mut offenders = Vec::new();
    fill(database, &mut connection, FEW).await;
    for statement in statements.iter().filter(|statement| statement.ends_with("FOR UPDATE")) {
        offenders.extend(unsound_steps(&mut connection, statement).await);
    }
    fill(database, &mut connection, MANY).await;
    for statement in &statements {
        offenders.extend(unsound_steps(&mut connection, statement).await);
    }
    assert!(offenders.is_empty(), "{} unsound plans:\n{}", offenders.len(), offenders.join("\n"));
}

fn is_planned(statement: &str) -> bool {
    // What the test itself and the driver ask has no condition, or asks about the schema.
    let ours = statement.contains(" WHERE ") && !statement.contains("information_schema") && !statement.contains("_sqlx_migrations");
    let planned = ["SELECT ", "UPDATE ", "DELETE "].iter().any(|verb| statement.starts_with(verb));
    ours && planned
        && !statement.starts_with(ORPHANS)
        && statement.matches('?').count() <= LISTED_MAX * 16
        && listed(statement) <= LISTED_MAX
}

/// How long the longest list of a statement is.
fn listed(statement: &str) -> usize {
    statement.split('(').map(|part| part.split(')').next().unwrap_or_default().matches('?').count()).max().unwrap_or_default()
}

/// The steps of a plan that read too much.
async fn unsound_steps(connection: &mut MySqlConnection, statement: &str) -> Vec<String> {
    // MySQL shows plans as trees unless it is asked not to, and MariaDB cannot be asked.
    let server: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await.unwrap();
    let format = if server.contains("MariaDB") { "" } else { "FORMAT = TRADITIONAL " };
    let mut query = sqlx::query(AssertSqlSafe(format!("EXPLAIN {format}{statement}"))).persistent(false);
    for (number, is_text) in (0_i64..).zip(parameters(statement)) {
        query = if is_text { query.bind(format!("w{number}")) } else { query.bind(5 + number) };
    }
    let plan = query.fetch_all(connection).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    let text = |step: &MySqlRow, column: &str| step.get::<Option<String>, _>(column).unwrap_or_default();
    let first = &text(&plan[0], "table");
    let steps = plan.iter().map(|step| (text(step, "table"), text(step, "type"), text(step, "key"), text(step, "Extra")));
    let unsound = |(table, access, key, extra): &(String, String, String, String)| {
        let derived = table.starts_with('<');
        // The least row is read from the end of an index, whatever the plan calls that.
        let scans = access == "ALL" || access == "index";
        // Of a page no more is read than is shown.
        let sorts = extra.contains("Using filesort") && !statement.contains("GROUP BY") && statement.ends_with("LIMIT ?") && table == first;
        // A lock by key reads what it locks, and nothing else.
        let strays = statement.ends_with("FOR UPDATE")
            && key != "PRIMARY"
            && !extra.contains("no matching row")
            && !extra.contains("Impossible WHERE");
        (scans || sorts || strays) && !derived
    };
    let shown = statement.replace(", ?", "");
    steps.filter(unsound).map(|(table, access, key, extra)| format!("{access} of {table} by {key:?} ({extra}) in {shown}")).collect()
}

/// Whether each parameter of a statement is a text, which the column tells that stands before it.
fn parameters(statement: &str) -> Vec<bool> {
    let mut pieces: Vec<&str> = statement.split('?').collect();
    pieces.pop();
    let mut column = String::new();
    pieces
        .into_iter()
        .map(|piece| {
            let mut words = piece.split(|character: char| !character.is_alphanumeric() && character != '_');
            if let Some(word) = words.rfind(|word| word.chars().any(char::is_lowercase)) {
                word.clone_into(&mut column);
            }
            // What is searched for stands in a function.
            let searched = piece.ends_with("LOWER(");
            searched || ["email_key", "idempotency_key", "group_name", "lock_name", "category", "name"].contains(&column.as_str())
        })
        .collect()
}

/// Gives every table that many rows, and lets the server know.
async fn fill(database: &Database, connection: &mut MySqlConnection, rows: u32) {
    let columns = "SELECT CONVERT(table_name USING utf8mb4), CONVERT(column_name USING utf8mb4), CONVERT(data_type USING utf8mb4), \
                   CONVERT(column_key USING utf8mb4) FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY ordinal_position";
    let columns: Vec<(String, String, String, String)> = sqlx::query_as(columns).fetch_all(&mut *connection).await.unwrap();
    let mut tables = BTreeMap::<String, Vec<(String, String)>>::new();
    for (table, column, data_type, key) in columns {
        let name = format!("{table}.{column}");
        let word = WORDS.iter().find(|(known, _)| *known == name).map(|(_, word)| (*word).to_owned());
        let value = word.unwrap_or_else(|| match data_type.as_str() {
            // Many hold the same coupon, each of them once.
            _ if name == "user_coupons.coupon_id" => "1 + n DIV 5000".to_owned(),
            "bigint" if SHARED.contains(&column.as_str()) && key != "PRI" && table != "user_coupons" => "1 + n DIV 8".to_owned(),
            "bigint" => "n".to_owned(),
            _ => "CONCAT('w', n)".to_owned(),
        });
        tables.entry(table).or_default().push((column, value));
    }
    let digit = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 \
                 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
    let numbers = format!("SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d AS n FROM {digit} a, {digit} b, {digit} c, {digit} d");
    for table in database.tables().await {
        let (names, values): (Vec<_>, Vec<_>) = tables[&table].iter().cloned().unzip();
        let (names, values) = (names.join(", "), values.join(", "));
        connection.execute(AssertSqlSafe(format!("DELETE FROM {table}"))).await.unwrap();
        let insert = format!("INSERT INTO {table} ({names}) SELECT {values} FROM ({numbers}) numbers WHERE n <= {rows}");
        connection.execute(AssertSqlSafe(insert)).await.unwrap_or_else(|error| panic!("{table}: {error}"));
        connection.fetch_all(AssertSqlSafe(format!("ANALYZE TABLE {table}"))).await.unwrap();
    }
}

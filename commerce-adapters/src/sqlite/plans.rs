//! No statement reads a whole table that grows with the business.

use super::purge::{COUPON_REQUESTS, DEAD_LETTERS, IDEMPOTENCY, INBOX, OUTBOX};
use super::{Durability, SqliteBoard, SqliteOptions, SqliteStore};
use crate::embedded::EmbeddedBus;
use crate::sql::statements::seen;
use commerce_core::messaging::{Group, MessageBus, StartAt, Topic};
use commerce_core::testing::contract;
use sqlx::{AssertSqlSafe, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What may be read as a whole: lists a statement brings along, the answers of its own subqueries, and what has one row for each group.
const MAY_BE_SCANNED: [&str; 6] = ["CONSTANT ROW", "v", "aged", "orphans", "bus_offsets", "sqlite_sequence"];

/// An index of the rows that wait to be sent, and of no others: a relay takes them from its beginning.
const UNSENT: &str = "outbox USING INDEX outbox_unsent";

/// The audit looks for orders that are named but do not exist: it reads every row there is, by design.
const ORPHANS: &str = "SELECT order_id FROM (SELECT t.order_id";

/// The steps of a statement's plan that read a whole table.
async fn scans(store: &SqliteStore, statement: &str) -> Vec<String> {
    let mut link = store.reads().link().await.unwrap();
    let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"))).fetch_all(link.start().unwrap()).await.unwrap();
    plan.iter().map(|step| step.get::<String, _>("detail")).filter(|step| is_a_scan(step)).collect()
}

fn is_a_scan(step: &str) -> bool {
    let Some(what) = step.strip_prefix("SCAN ") else { return step.contains("AUTOMATIC") };
    let table = what.split(" USING ").next();
    let brought_along = what.starts_with("(subquery") || what.ends_with("VALUES CLAUSE");
    !brought_along && what != UNSENT && !MAY_BE_SCANNED.iter().any(|known| table == Some(known))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_scans_a_table_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    let open = async || {
        let path = folder.path().join(format!("{}.db", count.fetch_add(1, Ordering::Relaxed)));
        SqliteStore::open(SqliteOptions { durability: Durability::Relaxed, ..SqliteOptions::new(path) }).await.unwrap()
    };
    // The contract suite runs every statement of the repositories, queries and snapshots.
    contract::store(async || Arc::new(open().await) as _).await;
    contract::ranking_board(async || Arc::new(SqliteBoard::new(open().await)) as _).await;
    let store = open().await;
    let bus = EmbeddedBus::new(store.clone());
    bus.subscribe(Group::Stock, &Topic::ALL, StartAt::Acknowledged).await.unwrap().close().await.unwrap();
    bus.subscribe(Group::Notification, &Topic::ALL, StartAt::Latest).await.unwrap();
    bus.lag(Group::Stock, &Topic::ALL).await.unwrap();
    store.read_log(0, 1).await.unwrap();

    let mut statements = seen::statements();
    assert!(statements.len() > 60, "the suite ran {} statements only", statements.len());
    statements.extend([OUTBOX, INBOX, COUPON_REQUESTS, IDEMPOTENCY, DEAD_LETTERS].map(str::to_owned));
    let mut offenders = Vec::new();
    for statement in statements.iter().filter(|statement| !statement.starts_with(ORPHANS)) {
        let scans = scans(&store, statement).await;
        if !scans.is_empty() {
            offenders.push(format!("{scans:?} in {statement}"));
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

use crate::database::Database;
use commerce_core::testing::contract;
use std::sync::Arc;

/// How often chance is tried with each guard: every round lasts for as long as somebody stalls.
const ROUNDS: u64 = 3;

/// No guard loses an update, sells what is not there or leaves somebody waiting, whatever becomes of those who contend for a row.
pub(crate) async fn every_guard_keeps_its_promise(database: Database) {
    contract::guards(async || Arc::new(database.emptied().await) as _, ROUNDS).await;
}

/// However many want the same row at the same time.
pub(crate) async fn everybody_is_served_in_a_rush(database: Database) {
    let store = database.store().await;
    contract::guard_rush(async || Arc::new(store.clone()) as _).await;
    store.close().await;
}

//! Events get ids of their own and are found by a relay, however many write at once.

use crate::database::Database;
use commerce_adapters::mysql::MysqlStore;
use commerce_core::messaging::{Event, NewEvent, OrderConfirmed, OutboxRow};
use commerce_core::store::{Store, StoreError};
use commerce_core::{EventId, Money, OrderId, Timestamp};
use futures_util::future::join_all;
use std::ops::Range;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn event(order: i64) -> NewEvent {
    let order_id = OrderId::new(order).unwrap();
    NewEvent::new(Event::OrderConfirmed(OrderConfirmed { order_id, total: Money::ZERO }), NOW)
}

/// Appends events of these orders in one unit of work.
async fn append(store: &MysqlStore, orders: Range<i64>) {
    let mut uow = store.begin().await.unwrap();
    uow.outbox().append(orders.map(event).collect()).await.unwrap();
    uow.commit().await.unwrap();
}

pub(crate) async fn every_event_is_stored_once_however_many_write_at_once(database: Database) {
    let store = database.store().await;
    // Batches of all sizes: alone, cut into pieces, of several statements.
    let orders = |number: i64, round: i64| {
        let first = 1 + number * 100_000 + round * 1_000;
        first..first + 1 + (number * 37 + round * 23) % 150
    };
    let writer = async |number: i64| {
        for round in 0..12 {
            append(&store, orders(number, round)).await;
        }
    };
    join_all((0..8).map(writer)).await;
    let mut stored: Vec<i64> =
        sqlx::query_scalar("SELECT aggregate_id FROM outbox").fetch_all(&mut database.connection().await).await.unwrap();
    stored.sort_unstable();
    let wanted: Vec<i64> = (0..8).flat_map(|number| (0..12).flat_map(move |round| orders(number, round))).collect();
    assert_eq!(stored, wanted);
    store.close().await;
}

async fn claim(store: &MysqlStore, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
    let mut uow = store.begin().await?;
    let claimed = uow.outbox().claim(NOW, NOW.plus(Duration::from_secs(30)), limit).await?;
    uow.commit().await.map(|()| claimed.rows)
}

fn orders(rows: &[OutboxRow]) -> Vec<i64> {
    rows.iter().map(|row| row.message.aggregate_id).collect()
}

pub(crate) async fn a_row_that_is_committed_late_is_found_below_those_that_were_sent(database: Database) {
    let store = database.store().await;
    // Given a writer that takes its time, and one that begins later and is done before it,
    let mut slow = store.begin().await.unwrap();
    slow.outbox().append(vec![event(1)]).await.unwrap();
    // A look at what waits makes it write what it has.
    assert_eq!(slow.outbox().claim(NOW, NOW, 0).await.unwrap().rows, []);
    append(&store, 2..3).await;
    // when a relay takes what there is, without waiting for the slow one,
    let first = claim(&store, 10).await.unwrap();
    assert_eq!(orders(&first), [2]);
    // then it finds the slow one's event as soon as it is committed, though its number is lower.
    slow.commit().await.unwrap();
    let second = claim(&store, 10).await.unwrap();
    assert_eq!(orders(&second), [1]);
    assert!(second[0].row < first[0].row);
    store.close().await;
}

pub(crate) async fn relays_pass_over_rows_that_another_one_is_about_to_claim(database: Database) {
    let store = database.store().await;
    append(&store, 1..11).await;
    // Given a relay in the middle of claiming,
    let mut one = store.begin().await.unwrap();
    let until = NOW.plus(Duration::from_secs(30));
    let taken = one.outbox().claim(NOW, until, 4).await.unwrap().rows;
    assert_eq!(orders(&taken), [1, 2, 3, 4]);
    // when another one claims, then it takes the rows that follow, and does not wait.
    assert_eq!(orders(&claim(&store, 4).await.unwrap()), [5, 6, 7, 8]);
    drop(one);
    // What was not claimed in the end is free again, once the roll-back has reached the server.
    let mut rest = Vec::new();
    while rest.len() < 6 {
        rest.extend(orders(&claim(&store, 10).await.unwrap()));
    }
    rest.sort_unstable();
    assert_eq!(rest, [1, 2, 3, 4, 9, 10]);
    store.close().await;
}

pub(crate) async fn relays_leave_rows_whose_aggregate_another_one_is_about_to_claim(database: Database) {
    let store = database.store().await;
    append(&store, 1..4).await;
    append(&store, 1..4).await;
    // Given a relay in the middle of claiming the first event of an aggregate,
    let mut one = store.begin().await.unwrap();
    assert_eq!(orders(&one.outbox().claim(NOW, NOW.plus(Duration::from_secs(30)), 1).await.unwrap().rows), [1]);
    // when another one claims, then it leaves the second one, and knows that it will be to be had;
    let mut other = store.begin().await.unwrap();
    let claimed = other.outbox().claim(NOW, NOW.plus(Duration::from_secs(30)), 10).await.unwrap();
    assert_eq!((orders(&claimed.rows), claimed.held_back), (vec![2, 3, 2, 3], true));
    other.commit().await.unwrap();
    // it is given once the first one is sent.
    one.commit().await.unwrap();
    let mut sending = store.begin().await.unwrap();
    let first = EventId::new(claimed.rows[0].row.get() - 1).unwrap();
    sending.outbox().mark_sent(&[first], NOW).await.unwrap();
    sending.commit().await.unwrap();
    assert_eq!(orders(&claim(&store, 10).await.unwrap()), [1]);
    store.close().await;
}

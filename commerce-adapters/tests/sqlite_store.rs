//! What the contract of a store does not ask, because it is about the file.

#![cfg(feature = "embedded")]

use commerce_adapters::clock::SystemClock;
use commerce_adapters::embedded::InProcessLocks;
use commerce_adapters::random::ThreadRandom;
use commerce_adapters::sqlite::{Durability, Migrate, OpenError, SchemaState, SqliteBoard, SqliteOptions, SqliteStore};
use commerce_core::lock::Locks;
use commerce_core::messaging::{Event, Group, Message, NewEvent, OrderConfirmed, SoldUnits};
use commerce_core::order::{Order, OrderItem, Quantity};
use commerce_core::payment::{Payment, PaymentMethod, PaymentStatus};
use commerce_core::point::PointAccount;
use commerce_core::product::{OptionName, ProductName, UnitPrice};
use commerce_core::ranking::{RankingBoard, RankingKeeper, Sale, SaleState, WINDOW_DAYS};
use commerce_core::store::{Store, StoreError};
use commerce_core::{BusinessCalendar, BusinessDay, Money, OptionId, OrderId, PaymentId, ProductId, Sequence, Timestamp, UserId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn options(folder: &TempDir) -> SqliteOptions {
    let path = folder.path().join("shop.db");
    SqliteOptions { durability: Durability::Relaxed, busy_timeout: Duration::from_millis(50), ..SqliteOptions::new(path) }
}

async fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(options(folder)).await.unwrap()
}

fn account(user: i64) -> PointAccount {
    PointAccount::open(UserId::new(user).unwrap())
}

fn event(order: i64) -> NewEvent {
    let order_id = OrderId::new(order).unwrap();
    NewEvent::new(Event::OrderConfirmed(OrderConfirmed { order_id, total: Money::ZERO }), NOW)
}

async fn open_account(store: &SqliteStore, user: i64) {
    let mut uow = store.begin().await.unwrap();
    uow.points().open(&[account(user)]).await.unwrap();
    uow.commit().await.unwrap();
}

async fn balance(store: &SqliteStore, user: i64) -> Option<Money> {
    store.queries().balance(UserId::new(user).unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    open_account(&store, 1).await;
    let leased = store.lease_ids(Sequence::Order, 10).await.unwrap();
    drop(store);

    let store = open(&folder).await;
    assert_eq!(balance(&store, 1).await, Some(Money::ZERO));
    assert_eq!(store.lease_ids(Sequence::Order, 1).await.unwrap().first, leased.first + 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_unit_of_work_lets_other_processes_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, others) = (open(&folder).await, open(&folder).await);
    let mut uow = mine.begin().await.unwrap();
    uow.points().open(&[account(1)]).await.unwrap();
    drop(uow);
    // The roll-back runs in a task of its own: whoever begins in the same process waits for it.
    drop(mine.begin().await.unwrap());
    open_account(&mine, 2).await;
    open_account(&others, 3).await;
    assert_eq!((balance(&mine, 1).await, balance(&mine, 3).await), (None, Some(Money::ZERO)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_writes_for_too_long_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, others) = (open(&folder).await, open(&folder).await);
    let theirs = others.begin().await.unwrap();
    assert!(matches!(mine.begin().await.err(), Some(StoreError::Unavailable(_))));
    assert!(matches!(mine.lease_ids(Sequence::User, 1).await, Err(StoreError::Unavailable(_))));
    theirs.commit().await.unwrap();
    open_account(&mine, 1).await;
}

#[tokio::test]
async fn a_unit_of_work_does_not_wait_for_the_others_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions { begin_timeout: Duration::from_millis(20), ..options(&folder) }).await.unwrap();
    let first = store.begin().await.unwrap();
    assert!(matches!(store.begin().await.err(), Some(StoreError::Unavailable(_))));
    first.commit().await.unwrap();
    open_account(&store, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_begin_that_is_cancelled_at_any_point_leaves_no_transaction_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder).await);
    for micros in 0..200 {
        let task = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                let mut uow = store.begin().await.unwrap();
                uow.points().open(&[account(1)]).await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_micros(micros)).await;
        task.abort();
        let _ = task.await;
    }
    open_account(&store, 1).await;
    assert_eq!(balance(&open(&folder).await, 1).await, Some(Money::ZERO));
}

#[tokio::test]
async fn a_commit_with_events_gives_a_signal_and_one_without_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut commits = store.subscribe_commits();
    open_account(&store, 1).await;
    assert!(!commits.has_changed().unwrap());

    let mut uow = store.begin().await.unwrap();
    uow.outbox().append((1..=37).map(event).collect()).await.unwrap();
    assert!(!commits.has_changed().unwrap());
    uow.commit().await.unwrap();
    assert_eq!(*commits.borrow_and_update(), 37);
}

#[tokio::test]
async fn inbox_rows_stay_while_their_event_can_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut uow = store.begin().await.unwrap();
    uow.outbox().append(vec![event(1), event(2)]).await.unwrap();
    let rows = uow.outbox().claim(NOW, NOW, 2).await.unwrap().rows;
    let ids: Vec<_> = rows.iter().map(|row| row.row).collect();
    uow.inbox().record(Group::Stock, &ids, NOW).await.unwrap();
    uow.outbox().mark_sent(&ids, NOW).await.unwrap();
    // The first event is sent again, and nobody has it yet.
    let again = Message { only_for: Some(Group::Stock), ..rows[0].message.clone() };
    uow.outbox().append_again(&again).await.unwrap();
    uow.commit().await.unwrap();

    let later = Timestamp::from_millis(2_000);
    assert_eq!(store.purge(later, 100).await.unwrap(), 3, "both rows that were sent, and one of the inbox");
    let mut uow = store.begin().await.unwrap();
    let fresh = uow.inbox().record(Group::Stock, &ids, NOW).await.unwrap();
    assert_eq!(fresh, [ids[1]]);
}

#[tokio::test]
async fn a_file_is_migrated_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let careful = SqliteOptions { migrate: Migrate::No, ..options(&folder) };
    assert!(
        matches!(SqliteStore::open(careful.clone()).await.err(), Some(OpenError::Store(StoreError::Unavailable(_)))),
        "there is no file"
    );

    std::fs::File::create(&careful.path).unwrap();
    assert!(matches!(SqliteStore::open(careful.clone()).await.err(), Some(OpenError::SchemaOlder { found: 0, .. })));
    assert!(matches!(SqliteStore::schema_state(&careful).await.unwrap(), SchemaState::Older { found: 0, .. }));
    SqliteStore::migrate(&careful).await.unwrap();
    assert_eq!(SqliteStore::schema_state(&careful).await.unwrap(), SchemaState::Current);
    SqliteStore::open(careful).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(options(&folder).path, "not a database, but long enough to look at, for whoever reads its first bytes".repeat(20))
        .unwrap();
    assert!(matches!(SqliteStore::open(options(&folder)).await.err(), Some(OpenError::Store(StoreError::Corrupt(_)))));
}

#[tokio::test]
async fn a_closed_store_can_be_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    open_account(&store, 1).await;
    store.close().await.unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert_eq!(balance(&open(&folder).await, 1).await, Some(Money::ZERO));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_made_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |folder: &TempDir, name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    let (opened, migrated) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(&opened).await;
    open_account(&store, 1).await;
    SqliteStore::migrate(&options(&migrated)).await.unwrap();
    for (folder, name) in [(&opened, "shop.db"), (&opened, "shop.db-wal"), (&migrated, "shop.db")] {
        assert_eq!(mode(folder, name), 0o600, "{name}");
    }
}

fn product(number: i64) -> ProductId {
    ProductId::new(number).unwrap()
}

/// Order n of some units of a product, paid at a time.
async fn sell(store: &SqliteStore, number: i64, units: i64, paid_at: Timestamp, status: PaymentStatus) {
    let (id, user_id) = (OrderId::new(number).unwrap(), UserId::new(1).unwrap());
    let mut order = Order::place(id, user_id, None, paid_at, paid_at);
    let item = OrderItem {
        option_id: OptionId::new(1).unwrap(),
        product_id: product(number),
        product_name: ProductName::parse("Runner").unwrap(),
        option_name: OptionName::parse("270").unwrap(),
        unit_price: UnitPrice::new(1_000).unwrap(),
        quantity: Quantity::new(units).unwrap(),
    };
    let mut uow = store.begin().await.unwrap();
    uow.orders().insert(std::slice::from_ref(&order)).await.unwrap();
    order.confirm(vec![item], Money::ZERO, paid_at).unwrap();
    uow.orders().save(std::slice::from_ref(&order)).await.unwrap();
    let (id, method, amount) = (PaymentId::new(number).unwrap(), PaymentMethod::Point, order.total);
    let payment = Payment { id, order_id: order.id, user_id, method, amount, status, failure: None, at: paid_at };
    uow.payments().insert(&[payment]).await.unwrap();
    uow.commit().await.unwrap();
}

/// What an older program left: the schema up to its last version, 18.
async fn take_the_schema_back(options: &SqliteOptions) {
    let mut connection = SqliteConnectOptions::new().filename(&options.path).connect().await.unwrap();
    let tables =
        ["fences", "coupon_requests", "ranking_calendar", "board_days", "board_orders", "board_units", "rankings", "ranked_products"];
    for table in tables {
        connection.execute(AssertSqlSafe(format!("DROP TABLE {table}"))).await.unwrap();
    }
    connection
        .execute(
            "ALTER TABLE outbox DROP COLUMN handled_by;
             DROP INDEX payments_by_time;
             CREATE INDEX payments_completed ON payments (created_at, order_id) WHERE status = 'COMPLETED';
             DELETE FROM _sqlx_migrations WHERE version > 18",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_older_program_is_upgraded_and_its_ranking_is_made_from_its_payments() {
    let (folder, calendar) = (tempfile::tempdir().unwrap(), BusinessCalendar::UTC);
    let today = BusinessDay::parse("2026-03-10").unwrap();
    let store = open(&folder).await;
    let sales = [
        (1, 2, 3, PaymentStatus::Completed),
        (2, 9, 1, PaymentStatus::Completed),
        (3, 50, 2, PaymentStatus::Refunded),
        (4, 70, 0, PaymentStatus::Completed),
        (5, 90, 4, PaymentStatus::Completed),
    ];
    for (number, units, days_ago, status) in sales {
        sell(&store, number, units, calendar.start_of(today.before(days_ago)), status).await;
    }
    store.close().await.unwrap();
    take_the_schema_back(&options(&folder)).await;
    assert!(matches!(SqliteStore::schema_state(&options(&folder)).await.unwrap(), SchemaState::Older { found: 18, .. }));

    let store = open(&folder).await;
    let board = Arc::new(SqliteBoard::new(store.clone()));
    let locks = Locks::new(Arc::new(InProcessLocks::new(Arc::new(SystemClock), store.clone())), Arc::new(ThreadRandom));
    let keeper = RankingKeeper { store: Arc::new(store), board: Arc::clone(&board) as _, locks, calendar };
    assert!(keeper.prepare(today).await.unwrap().is_some());
    let ranking = [(2, 9), (1, 2)].map(|(number, units)| SoldUnits { product_id: product(number), units });
    assert_eq!(board.top(today, 10).await.unwrap(), Some(ranking.to_vec()), "neither what was refunded nor what is outside of the window");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_read_while_somebody_writes_and_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, today) = (open(&folder).await, BusinessDay::parse("2026-03-10").unwrap());
    let board = SqliteBoard::new(store.clone());
    let sold = vec![SoldUnits { product_id: product(1), units: 3 }];
    let sale = Sale { order_id: OrderId::new(1).unwrap(), paid_at: NOW, units: sold.clone(), state: SaleState::Paid };
    for days_ago in 1..=WINDOW_DAYS {
        assert!(board.clear(today.before(days_ago), 1).await.unwrap() && board.mark_whole(today.before(days_ago), 1).await.unwrap());
    }
    board.record(today.before(1), &[sale]).await.unwrap();
    assert!(board.aggregate(today).await.unwrap());
    let uow = store.begin().await.unwrap();
    assert_eq!(board.top(today, 10).await.unwrap().as_ref(), Some(&sold));
    drop(uow);
    store.close().await.unwrap();
    let board = SqliteBoard::new(open(&folder).await);
    assert_eq!(board.top(today, 10).await.unwrap(), Some(sold));
}

#[tokio::test]
async fn however_many_sales_of_old_days_there_are_they_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (board, today) = (SqliteBoard::new(open(&folder).await), BusinessDay::parse("2026-03-10").unwrap());
    let sale = |number| {
        let units = vec![SoldUnits { product_id: product(number), units: 1 }];
        Sale { order_id: OrderId::new(number).unwrap(), paid_at: NOW, units, state: SaleState::Paid }
    };
    // More than are deleted at once.
    let sales: Vec<_> = (1..=4_500).map(sale).collect();
    board.record(today.before(9), &sales).await.unwrap();
    board.record(today, &sales[..1]).await.unwrap();
    board.forget(today).await.unwrap();
    assert_eq!(board.days().await.unwrap().len(), 1);
    assert!(board.sold(today.before(9), None, 10).await.unwrap().is_empty());
    board.record(today.before(9), &sales[..1]).await.unwrap();
    assert_eq!(board.sold(today.before(9), None, 10).await.unwrap().len(), 1, "nothing is remembered of the orders");
}

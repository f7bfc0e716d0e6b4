//! Callers that stop waiting, wherever they are, leave nothing behind on the connections they used.

use crate::database::Database;
use commerce_adapters::mysql::MysqlStore;
use commerce_core::messaging::{Event, NewEvent, OrderConfirmed};
use commerce_core::point::{ChargeAmount, PointAccount};
use commerce_core::store::{Store, StoreError};
use commerce_core::{Money, OrderId, Sequence, Timestamp, UserId};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const USERS: i64 = 3;
/// More than a unit of work is polled, with every statement prepared anew.
const POLLS_MAX: usize = 80;

/// When a caller stops waiting.
#[derive(Debug, Clone, Copy)]
enum Leaves {
    /// At once, while the server works.
    Early,
    /// When the answer is there, before it is read.
    Late,
}

/// Awaits a future for so many polls, and drops it then.
async fn for_polls<F: Future>(polls: usize, leaves: Leaves, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match (future.as_mut().poll(context), leaves) {
            (Poll::Pending, Leaves::Early) if left == 0 => Poll::Ready(None),
            (polled, _) => polled.map(Some),
        }
    })
    .await
}

fn user(number: i64) -> UserId {
    UserId::new(number).unwrap()
}

/// Pays a thousand points in to everybody and says so, in one unit of work.
async fn charge(store: &MysqlStore) -> Result<(), StoreError> {
    let users: Vec<_> = (1..=USERS).map(user).collect();
    let mut uow = store.begin().await?;
    let mut accounts: Vec<PointAccount> = uow.points().lock(&users).await?;
    let amount = ChargeAmount::new(1_000).unwrap();
    let entries: Vec<_> = accounts.iter_mut().map(|account| account.charge(amount, None, NOW).unwrap()).collect();
    uow.points().save(&accounts, &entries).await?;
    let event = Event::OrderConfirmed(OrderConfirmed { order_id: OrderId::new(1).unwrap(), total: Money::ZERO });
    uow.outbox().append(vec![NewEvent::new(event, NOW)]).await?;
    uow.commit().await
}

/// What is stored, as a connection sees it that has nothing to do with the store: the next id, and the events.
async fn stored(database: &Database) -> (i64, i64) {
    let stored = "SELECT (SELECT next_id FROM sequences WHERE name = 'order'), (SELECT COUNT(*) FROM outbox)";
    sqlx::query_as(stored).fetch_one(&mut database.connection().await).await.unwrap()
}

async fn with_accounts(store: &MysqlStore) {
    let mut uow = store.begin().await.unwrap();
    uow.points().open(&(1..=USERS).map(|number| PointAccount::open(user(number))).collect::<Vec<_>>()).await.unwrap();
    uow.commit().await.unwrap();
}

pub(crate) async fn a_unit_of_work_that_is_given_up_swallows_nothing_that_is_written_later(database: Database) {
    // Given a store with so few connections that each is used again at once,
    let store = MysqlStore::connect(&database.options_with(2)).await.unwrap();
    with_accounts(&store).await;
    let (mut leased, mut charged) = (0, 0);
    for polls in 1..=POLLS_MAX {
        for leaves in [Leaves::Early, Leaves::Late, Leaves::Early] {
            // when somebody stops waiting in the middle of a unit of work, wherever that is,
            charged += i64::from(for_polls(polls, leaves, charge(&store)).await.is_some_and(|outcome| outcome.is_ok()));
            // then what others write next, in transactions of their own and in units of work, is there for all the world to see.
            for _ in 0..2 {
                let block = store.lease_ids(Sequence::Order, 1).await.unwrap();
                leased += 1;
                assert_eq!(block.first, leased, "{leaves:?} after {polls} polls");
            }
            assert_eq!(stored(&database).await.0, leased + 1, "a lease has vanished: {leaves:?} after {polls} polls");
            charge(&store).await.unwrap();
            charged += 1;
            let (_, events) = stored(&database).await;
            // A commit that nobody waits for takes place or not.
            assert!(
                (charged..=charged + 1).contains(&events),
                "{events} events of {charged} units of work: {leaves:?} after {polls} polls"
            );
            charged = events;
        }
    }
    let balance = store.queries().balance(user(1)).await.unwrap().unwrap();
    assert_eq!(balance.krw(), charged * 1_000);
    assert_nothing_is_open(&database).await;
    store.close().await;
}

pub(crate) async fn a_read_that_is_given_up_answers_nobody_elses_question(database: Database) {
    let store = MysqlStore::connect(&database.options_with(2)).await.unwrap();
    with_accounts(&store).await;
    charge(&store).await.unwrap();
    for polls in 1..=12 {
        for leaves in [Leaves::Early, Leaves::Late, Leaves::Early] {
            // Given a reader who stops waiting for a long answer,
            let ledger = store.queries().point_entries(user(1), None, commerce_core::store::PageLimit::default());
            for_polls(polls, leaves, ledger).await.transpose().unwrap();
            // when others ask something else on the same connections, then they are given the answer to that.
            for _ in 0..2 {
                assert_eq!(store.queries().balance(user(2)).await.unwrap().unwrap().krw(), 1_000);
                assert_eq!(store.queries().balance(user(99)).await.unwrap(), None);
            }
        }
    }
    store.close().await;
}

pub(crate) async fn a_snapshot_that_is_given_up_answers_no_other_question(database: Database) {
    let store = MysqlStore::connect(&database.options_with(2)).await.unwrap();
    with_accounts(&store).await;
    charge(&store).await.unwrap();
    for polls in 1..=12 {
        let mut snapshot = store.snapshot().await.unwrap();
        if for_polls(polls, Leaves::Early, snapshot.accounts(None, 100)).await.is_none() {
            let refused = snapshot.stock(None, 100).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        }
        drop(snapshot);
        assert_eq!(store.snapshot().await.unwrap().accounts(None, 100).await.unwrap().len(), 3);
    }
    assert_nothing_is_open(&database).await;
    store.close().await;
}

/// In the end no connection to the database has a transaction open.
async fn assert_nothing_is_open(database: &Database) {
    let open = "SELECT COUNT(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
                WHERE p.db = DATABASE()";
    let mut connection = database.connection().await;
    let mut found = None;
    for _ in 0..400 {
        // MySQL fails to show these tables at a moment when somebody, in whatever database, runs a statement with a letter beyond three bytes in it.
        let open = sqlx::query_scalar::<_, i64>(open).fetch_one(&mut connection).await;
        if matches!(open, Ok(0)) {
            return;
        }
        found = Some(open);
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("a transaction stays open: {found:?}");
}

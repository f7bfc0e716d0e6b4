//! What the servers refuse comes to the core as one of the few errors it knows.

use crate::database::{Database, kill_others};
use commerce_adapters::mysql::MysqlStore;
use commerce_core::point::PointAccount;
use commerce_core::store::{Store, StoreError, UnitOfWork};
use commerce_core::user::{Email, PasswordHash, Role, User, UserName};
use commerce_core::{Sequence, Timestamp, UserId};
use std::time::{Duration, Instant};

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn user_id(number: i64) -> UserId {
    UserId::new(number).unwrap()
}

fn user(number: i64) -> User {
    User {
        id: user_id(number),
        name: UserName::parse("Ann Lee").unwrap(),
        email: Email::parse(&format!("ann{number}@shop.kr")).unwrap(),
        password_hash: PasswordHash::new("hash".to_owned()),
        role: Role::Customer,
        created_at: NOW,
        updated_at: NOW,
    }
}

async fn with_accounts(database: &Database) -> MysqlStore {
    let store = database.store().await;
    let mut uow = store.begin().await.unwrap();
    uow.points().open(&[1, 2, 3].map(|number| PointAccount::open(user_id(number)))).await.unwrap();
    uow.commit().await.unwrap();
    store
}

async fn lock(uow: &mut Box<dyn UnitOfWork>, number: i64) -> Result<(), StoreError> {
    uow.points().lock(&[user_id(number)]).await.map(drop)
}

pub(crate) async fn a_duplicate_names_the_key_and_not_the_value(database: Database) {
    let store = database.store().await;
    let mut uow = store.begin().await.unwrap();
    uow.users().insert(&[user(1)]).await.unwrap();
    let refused = uow.users().insert(&[User { id: user_id(2), ..user(1) }]).await;
    let Err(StoreError::Duplicate { constraint }) = refused else { panic!("{refused:?}") };
    assert_eq!(constraint.rsplit('.').next(), Some("users_email_key"));
    drop(uow);
    store.close().await;
}

pub(crate) async fn of_two_that_wait_for_each_other_one_is_told_of_a_conflict_and_the_other_goes_on(database: Database) {
    let store = with_accounts(&database).await;
    let (mut one, mut other) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    lock(&mut one, 1).await.unwrap();
    lock(&mut other, 2).await.unwrap();
    let cross = async |mut uow: Box<dyn UnitOfWork>, number: i64| {
        // Whoever loses lets go of everything.
        lock(&mut uow, number).await?;
        uow.commit().await
    };
    let (one, other) = futures_util::join!(cross(one, 2), cross(other, 1));
    assert!(one.is_ok() != other.is_ok(), "{one:?} and {other:?}");
    let loser = one.and(other);
    assert!(matches!(loser, Err(StoreError::Conflict)), "{loser:?}");
    store.close().await;
}

pub(crate) async fn a_lock_that_is_waited_for_in_vain_is_a_conflict_and_everything_is_rolled_back(database: Database) {
    let store = with_accounts(&database).await;
    let mut holder = store.begin().await.unwrap();
    lock(&mut holder, 1).await.unwrap();
    let mut waiter = store.begin().await.unwrap();
    waiter.users().insert(&[user(1)]).await.unwrap();
    let refused = lock(&mut waiter, 1).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    // The server has rolled back the last statement only.
    drop(waiter);
    holder.commit().await.unwrap();
    let mut again = store.begin().await.unwrap();
    again.users().insert(&[user(1)]).await.unwrap();
    again.commit().await.unwrap();
    store.close().await;
}

/// A shop may be quiet for longer than the server waits for its connections.
pub(crate) async fn nobody_notices_that_connections_have_rested(database: Database) {
    let store = with_accounts(&database).await;
    let four_at_once = || futures_util::future::try_join_all((0..4).map(|_| store.begin()));
    drop(four_at_once().await.unwrap());
    tokio::time::sleep(Duration::from_secs(11)).await;
    drop(four_at_once().await.unwrap());
    store.close().await;
}

/// A process that stands still, or whose machine is gone without a word, keeps its connection and says nothing.
pub(crate) async fn the_rows_of_a_process_that_stands_still_are_let_go(database: Database) {
    let store = with_accounts(&database).await;
    let mut audited = store.snapshot().await.unwrap();
    let (mut still, mut committing) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    lock(&mut still, 1).await.unwrap();
    committing.users().insert(&[user(1)]).await.unwrap();
    let begun = Instant::now();
    loop {
        let mut next = store.begin().await.unwrap();
        match lock(&mut next, 1).await {
            Ok(()) => break next.commit().await.unwrap(),
            refused => assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(25), "nobody ever gets the row");
    }
    let late = lock(&mut still, 2).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    drop(still);
    // It has said something a moment later than the other.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = committing.commit().await;
    // MySQL says that it stopped waiting, MariaDB only hangs up.
    assert!(matches!(refused, Err(StoreError::Unavailable(_) | StoreError::Ambiguous(_))), "{refused:?}");
    assert!(store.queries().user(user_id(1)).await.unwrap().is_none(), "it was rolled back");
    lock(&mut store.begin().await.unwrap(), 2).await.unwrap();
    assert_eq!(audited.accounts(None, 100).await.unwrap().len(), 3, "who locks nothing may take its time");
    drop(audited);
    store.close().await;
}

pub(crate) async fn a_unit_of_work_sees_what_others_have_committed_meanwhile(database: Database) {
    let store = with_accounts(&database).await;
    let mut uow = store.begin().await.unwrap();
    assert!(uow.users().existing(&[user_id(1)]).await.unwrap().is_empty());
    let mut other = store.begin().await.unwrap();
    other.users().insert(&[user(1)]).await.unwrap();
    other.commit().await.unwrap();
    assert_eq!(uow.users().existing(&[user_id(1)]).await.unwrap(), [user_id(1)]);
    drop(uow);
    store.close().await;
}

pub(crate) async fn a_connection_that_is_cut_is_an_outage_and_in_a_commit_an_ambiguity(database: Database) {
    let store = with_accounts(&database).await;
    let mut cut = store.begin().await.unwrap();
    let mut committing = store.begin().await.unwrap();
    committing.users().insert(&[user(1)]).await.unwrap();
    assert!(kill_others(&mut database.connection().await).await > 0);
    let lost = lock(&mut cut, 1).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let again = lock(&mut cut, 1).await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    let unknown = committing.commit().await;
    assert!(matches!(unknown, Err(StoreError::Ambiguous(_))), "{unknown:?}");
    drop(cut);
    store.close().await;
}

pub(crate) async fn after_connections_were_cut_the_store_goes_on_by_itself(database: Database) {
    let store = with_accounts(&database).await;
    for _ in 0..3 {
        // Given many connections that wait to be used,
        let begun = futures_util::future::join_all((0..8).map(|_| store.begin())).await;
        for uow in begun {
            drop(uow.unwrap());
        }
        store.lease_ids(Sequence::Order, 1).await.unwrap();
        // when all of them are cut,
        assert!(kill_others(&mut database.connection().await).await > 0);
        // then at most one caller notices: after it, every connection is tried before it is lent.
        let mut failures = 0;
        for _ in 0..12 {
            failures += u32::from(store.queries().balance(user_id(1)).await.is_err());
        }
        assert!(failures <= 1, "{failures} reads failed");
    }
    store.close().await;
}

use super::samples::{NOW, account, at_once, attempt, event, id, ids, krw, seconds, user, with_users, write};
use crate::messaging::Group;
use crate::point::{ChargeAmount, PointAccount};
use crate::store::{Store, StoreError};
use crate::{Money, Sequence, UserId};
use std::collections::BTreeSet;

pub(super) async fn what_is_committed_is_seen_at_once(store: &dyn Store) {
    with_users(store, 1).await;
    assert!(store.queries().user(id(1)).await.unwrap().is_some());
    assert!(store.queries().has_users().await.unwrap());
    assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(Money::ZERO));
}

pub(super) async fn what_is_not_committed_is_seen_by_nobody_else(store: &dyn Store) {
    let mut uow = store.begin().await.unwrap();
    uow.users().insert(&[user(1)]).await.unwrap();
    assert_eq!(uow.users().existing(&[id(1)]).await.unwrap(), [id::<UserId>(1)], "the unit of work itself sees what it wrote");
    assert!(store.queries().user(id(1)).await.unwrap().is_none());
    uow.commit().await.unwrap();
    assert!(store.queries().user(id(1)).await.unwrap().is_some());
}

pub(super) async fn dropping_a_unit_of_work_rolls_everything_back(store: &dyn Store) {
    with_users(store, 1).await;
    let mut uow = store.begin().await.unwrap();
    uow.users().insert(&[user(2)]).await.unwrap();
    uow.points().open(&[account(2)]).await.unwrap();
    uow.outbox().append(vec![event(1)]).await.unwrap();
    uow.inbox().record(Group::Stock, &[id(1)], NOW).await.unwrap();
    drop(uow);

    assert!(store.queries().user(id(2)).await.unwrap().is_none());
    assert_eq!(store.queries().balance(id(2)).await.unwrap(), None);
    let left = write(store, async |uow| uow.outbox().claim(NOW, NOW, 10).await).await;
    assert!(left.rows.is_empty());
    let fresh = write(store, async |uow| uow.inbox().record(Group::Stock, &[id(1)], NOW).await).await;
    assert_eq!(fresh.len(), 1, "nothing was handled");
    with_nothing_stuck(store).await;
}

/// A unit of work can begin, write and commit: no lock or transaction was left open.
async fn with_nothing_stuck(store: &dyn Store) {
    write(store, async |uow| {
        let mut users = uow.users().lock(&[id(1)]).await?;
        users[0].updated_at = NOW.plus(seconds(1));
        uow.users().update(&users).await
    })
    .await;
}

pub(super) async fn a_unit_of_work_that_failed_leaves_nothing_behind(store: &dyn Store) {
    with_users(store, 1).await;
    let failed = attempt(store, async |uow| {
        uow.users().insert(&[user(2)]).await?;
        uow.users().insert(&[user(1)]).await
    })
    .await;
    assert!(matches!(failed, Err(StoreError::Duplicate { .. })), "{failed:?}");
    assert!(store.queries().user(id(2)).await.unwrap().is_none());
    with_nothing_stuck(store).await;
}

async fn charge(store: &dyn Store) -> Result<(), StoreError> {
    attempt(store, async |uow| {
        let mut accounts: Vec<PointAccount> = uow.points().lock(&[id(1)]).await?;
        let entry = accounts[0].charge(ChargeAmount::new(1_000).expect("a valid charge"), None, NOW).expect("a small balance");
        uow.points().save(&accounts, &[entry]).await
    })
    .await
}

pub(super) async fn no_update_is_lost_among_many_at_once(store: &dyn Store) {
    with_users(store, 1).await;
    at_once(20, async || charge(store).await).await;
    assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(krw(20_000)));
}

pub(super) async fn no_update_is_lost_among_many_at_once_that_lock_nothing(store: &dyn Store) {
    with_users(store, 1).await;
    let charge = async || {
        let mut uow = store.begin_unlocked().await?;
        let mut accounts: Vec<PointAccount> = uow.points().lock(&[id(1)]).await?;
        // Everybody has read before anybody writes, where the store lets them.
        tokio::task::yield_now().await;
        let entry = accounts[0].charge(ChargeAmount::new(1_000).expect("a valid charge"), None, NOW).expect("a small balance");
        uow.points().save(&accounts, &[entry]).await?;
        uow.commit().await
    };
    at_once(20, charge).await;
    assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(krw(20_000)));
}

pub(super) async fn ids_are_never_leased_twice(store: &dyn Store) {
    let mut seen = BTreeSet::new();
    for len in [1, 2, 5_000, 1] {
        let block = store.lease_ids(Sequence::Order, len).await.unwrap();
        assert_eq!(block.len, len);
        assert!(block.first >= 1);
        for id in block.first..block.first + i64::from(len) {
            assert!(seen.insert(id), "{id} was leased twice");
        }
    }
    let at_once = futures_util::future::join_all((0..10).map(|_| store.lease_ids(Sequence::Order, 10))).await;
    for block in at_once {
        let first = block.unwrap().first;
        assert!((first..first + 10).all(|id| seen.insert(id)), "leases overlap");
    }
}

pub(super) async fn a_lease_outlives_a_unit_of_work_that_is_rolled_back(store: &dyn Store) {
    let leased = store.lease_ids(Sequence::User, 10).await.unwrap();
    drop(store.begin().await.unwrap());
    let next = store.lease_ids(Sequence::User, 10).await.unwrap();
    assert!(next.first >= leased.first + 10);
}

pub(super) async fn it_answers_a_ping(store: &dyn Store) {
    store.ping().await.unwrap();
}

pub(super) async fn an_empty_slice_is_no_work(store: &dyn Store) {
    write(store, async |uow| {
        assert!(uow.users().lock(&[]).await?.is_empty());
        assert!(uow.users().existing(&[]).await?.is_empty());
        assert!(uow.users().taken(&[]).await?.is_empty());
        assert!(uow.points().lock(&[]).await?.is_empty());
        assert!(uow.stock().lock(&[]).await?.is_empty());
        assert!(uow.stock().reservations(&[]).await?.is_empty());
        assert!(uow.products().option_details(&[]).await?.is_empty());
        assert!(uow.coupons().lock(&[]).await?.is_empty());
        assert!(uow.coupons().lock_user_coupons(&[]).await?.is_empty());
        assert!(uow.orders().lock(&[]).await?.is_empty());
        assert!(uow.payments().find(&[]).await?.is_empty());
        assert!(uow.idempotency().find(&[]).await?.is_empty());
        assert!(uow.inbox().record(Group::Stock, &[], NOW).await?.is_empty());
        uow.users().insert(&[]).await?;
        uow.users().update(&[]).await?;
        uow.points().open(&[]).await?;
        uow.points().save(&[], &[]).await?;
        uow.stock().save(&[], &[]).await?;
        uow.coupons().save_user_coupons(&[]).await?;
        uow.orders().save(&[]).await?;
        uow.payments().insert(&[]).await?;
        uow.outbox().append(Vec::new()).await?;
        uow.outbox().mark_sent(&[], NOW).await?;
        uow.dead_letters().insert(&[]).await?;
        uow.idempotency().insert(&[]).await
    })
    .await;
    assert!(store.queries().products(&ids(0)).await.unwrap().is_empty());
}

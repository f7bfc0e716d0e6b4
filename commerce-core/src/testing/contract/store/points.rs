use super::samples::{BATCHES, NOW, account, at_once, attempt, id, ids, krw, order, seconds, with_products, with_users, write};
use crate::point::{ChargeAmount, NewPointEntry, PointAccount, PointKind};
use crate::store::{PageLimit, Store, StoreError};
use crate::{Money, OrderId, UserId};

fn charge(account: &mut PointAccount, key: Option<&str>) -> NewPointEntry {
    account.charge(ChargeAmount::new(1_000).unwrap(), key.map(str::to_owned), NOW).unwrap()
}

pub(super) async fn balances_and_ledgers_are_written_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 300).await;
    for (round, size) in BATCHES.into_iter().enumerate() {
        let round = i64::try_from(round).unwrap() + 1;
        let mut accounts = write(store, async |uow| uow.points().lock(&ids(size)).await).await;
        assert_eq!(accounts.len(), usize::try_from(size).unwrap());
        let entries: Vec<_> = accounts.iter_mut().map(|account| charge(account, None)).collect();
        write(store, async |uow| uow.points().save(&accounts, &entries).await).await;
        assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(krw(1_000 * round)));
        assert_eq!(store.queries().balance(id(size)).await.unwrap(), Some(accounts[accounts.len() - 1].balance));
    }
}

pub(super) async fn a_save_raises_the_version(store: &dyn Store) {
    with_users(store, 1).await;
    let lock = async || write(store, async |uow| uow.points().lock(&[id(1)]).await).await.remove(0);
    let mut account = lock().await;
    let entry = charge(&mut account, None);
    write(store, async |uow| uow.points().save(std::slice::from_ref(&account), &[entry]).await).await;
    assert_eq!(lock().await, PointAccount { version: account.version + 1, ..account });
}

pub(super) async fn what_is_saved_again_and_again_in_a_unit_of_work_adds_up(store: &dyn Store) {
    with_users(store, 2).await;
    with_products(store, 1).await;
    write(store, async |uow| {
        for round in 1..=3 {
            for _ in 0..2 {
                let mut accounts = uow.points().lock(&ids(2)).await?;
                let entries: Vec<_> = accounts.iter_mut().map(|account| charge(account, Some(&round.to_string()))).collect();
                uow.points().save(&accounts, &entries).await?;
                let stale = uow.points().save(&accounts, &[]).await;
                assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
            }
            // Whoever else is at work in it must not be in the way.
            uow.stock().lock(&[id(1)]).await?;
            assert_eq!(uow.points().shift(id(2), 500).await?, Some(krw(2_500 * round)));
        }
        Ok(())
    })
    .await;
    for (user, balance) in [(1, 6_000), (2, 7_500)] {
        assert_eq!(store.queries().balance(id(user)).await.unwrap(), Some(krw(balance)));
        let entries = store.queries().point_entries(id(user), None, PageLimit::default()).await.unwrap().items;
        let keys: Vec<_> = entries.iter().rev().map(|entry| entry.change.idempotency_key.clone().unwrap()).collect();
        assert_eq!(keys, ["1", "1", "2", "2", "3", "3"], "in the order of the changes");
        assert!(entries.is_sorted_by(|a, b| a.change.balance_after > b.change.balance_after));
    }
    let mut uow = store.begin().await.unwrap();
    let mut accounts = uow.points().lock(&ids(2)).await.unwrap();
    let entries: Vec<_> = accounts.iter_mut().map(|account| charge(account, None)).collect();
    uow.points().save(&accounts, &entries).await.unwrap();
    drop(uow);
    assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(krw(6_000)), "what is dropped was never there");
    assert_eq!(store.queries().point_entries(id(1), None, PageLimit::default()).await.unwrap().items.len(), 6);
}

pub(super) async fn a_save_on_top_of_what_was_not_read_is_refused(store: &dyn Store) {
    with_users(store, 2).await;
    let mut stale = write(store, async |uow| uow.points().lock(&ids(2)).await).await;
    let mut first = stale[..1].to_vec();
    let entry = charge(&mut first[0], None);
    write(store, async |uow| uow.points().save(&first, &[entry]).await).await;

    let entries: Vec<_> = stale.iter_mut().map(|account| charge(account, None)).collect();
    let refused = attempt(store, async |uow| uow.points().save(&stale, &entries).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(krw(1_000)));
    assert_eq!(store.queries().balance(id(2)).await.unwrap(), Some(Money::ZERO), "all or nothing");
    let entries = store.queries().point_entries(id(1), None, PageLimit::default()).await.unwrap().items;
    assert_eq!(entries.len(), 1, "the ledger is rolled back too");
}

pub(super) async fn an_account_that_does_not_exist_cannot_be_saved(store: &dyn Store) {
    let refused = attempt(store, async |uow| uow.points().save(&[account(1)], &[]).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

pub(super) async fn a_user_has_one_account(store: &dyn Store) {
    with_users(store, 2).await;
    let refused = attempt(store, async |uow| uow.points().open(&[account(2)]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

pub(super) async fn a_balance_is_shifted_within_its_bounds_and_not_beyond(store: &dyn Store) {
    with_users(store, 1).await;
    let shift = async |user: i64, delta: i64| write(store, async |uow| uow.points().shift(id(user), delta).await).await;
    let before = write(store, async |uow| uow.points().lock(&[id(1)]).await).await.remove(0);
    assert_eq!(shift(1, 5).await, Some(krw(5)));
    let after = write(store, async |uow| uow.points().lock(&[id(1)]).await).await;
    assert_eq!(after, [PointAccount { balance: krw(5), version: before.version + 1, ..before }]);
    for beyond in [-6, Money::MAX.krw() - 4, i64::MAX, i64::MIN] {
        assert_eq!(shift(1, beyond).await, None, "{beyond}");
    }
    assert_eq!(shift(2, 5).await, None, "there is no such account");
    assert_eq!(shift(1, Money::MAX.krw() - 5).await, Some(Money::MAX));
    assert_eq!(shift(1, 0).await, Some(Money::MAX));
    assert_eq!(shift(1, -Money::MAX.krw()).await, Some(Money::ZERO));
}

pub(super) async fn no_shift_is_lost_among_many_at_once(store: &dyn Store) {
    with_users(store, 1).await;
    let shifted = at_once(20, async || attempt(store, async |uow| uow.points().shift(id(1), 1_000).await).await).await;
    let mut balances: Vec<i64> = shifted.into_iter().map(|balance| balance.expect("a small balance").krw()).collect();
    balances.sort_unstable();
    assert!(balances.iter().copied().eq((1..=20).map(|charges| charges * 1_000)), "{balances:?}");
}

pub(super) async fn accounts_are_locked_ascending_each_once_and_without_unknown_ones(store: &dyn Store) {
    with_users(store, 3).await;
    let wanted: Vec<UserId> = [3, 1, 3, 99, 2].map(id).to_vec();
    let locked = write(store, async |uow| uow.points().lock(&wanted).await).await;
    assert_eq!(locked, [1, 2, 3].map(account));
}

pub(super) async fn the_ledger_keeps_the_order_of_changes_and_pages_newest_first(store: &dyn Store) {
    with_users(store, 2).await;
    let mut accounts = write(store, async |uow| uow.points().lock(&[id(1)]).await).await;
    let entries: Vec<_> = (0..45).map(|number| charge(&mut accounts[0], Some(&format!("key-{number}")))).collect();
    write(store, async |uow| uow.points().save(&accounts, &entries).await).await;

    let limit = PageLimit::new(20).unwrap();
    let (mut read, mut before, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let page = store.queries().point_entries(id(1), before, limit).await.unwrap();
        sizes.push(page.items.len());
        read.extend(page.items);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [20, 20, 5]);
    assert!(read.is_sorted_by(|newer, older| newer.id > older.id), "ids rise with every change");
    let changes: Vec<_> = read.into_iter().map(|entry| entry.change).rev().collect();
    assert_eq!(changes, entries);
    let exactly = store.queries().point_entries(id(1), None, PageLimit::new(45).unwrap()).await.unwrap();
    assert_eq!(exactly.next, None, "a page that holds the last entry is the last page");
    assert!(store.queries().point_entries(id(2), None, limit).await.unwrap().items.is_empty(), "nobody else's entries");
}

pub(super) async fn entries_of_every_kind_come_back_as_they_were(store: &dyn Store) {
    with_users(store, 1).await;
    write(store, async |uow| uow.orders().insert(&[order(1)]).await).await;
    let mut accounts = write(store, async |uow| uow.points().lock(&[id(1)]).await).await;
    let order_id: OrderId = id(1);
    let entries = [
        charge(&mut accounts[0], Some("a key")),
        accounts[0].pay(krw(400), order_id, NOW.plus(seconds(1))).unwrap().unwrap(),
        accounts[0].refund(krw(400), order_id, NOW.plus(seconds(2))).unwrap().unwrap(),
    ];
    write(store, async |uow| uow.points().save(&accounts, &entries).await).await;
    let mut read = store.queries().point_entries(id(1), None, PageLimit::default()).await.unwrap().items;
    read.reverse();
    assert_eq!(read.iter().map(|entry| entry.change.clone()).collect::<Vec<_>>(), entries);
    assert_eq!(read.iter().map(|entry| entry.change.kind).collect::<Vec<_>>(), [PointKind::Charge, PointKind::Use, PointKind::Refund]);
}

pub(super) async fn the_largest_balance_comes_back_as_it_was(store: &dyn Store) {
    with_users(store, 1).await;
    let mut accounts = write(store, async |uow| uow.points().lock(&[id(1)]).await).await;
    let entry = accounts[0].refund(Money::MAX, id(1), NOW).unwrap().unwrap();
    let entry = NewPointEntry { order_id: None, idempotency_key: Some("~".repeat(255)), ..entry };
    write(store, async |uow| uow.points().save(&accounts, std::slice::from_ref(&entry)).await).await;
    assert_eq!(store.queries().balance(id(1)).await.unwrap(), Some(Money::MAX));
    let read = store.queries().point_entries(id(1), None, PageLimit::default()).await.unwrap().items;
    assert_eq!(read[0].change, entry);
}

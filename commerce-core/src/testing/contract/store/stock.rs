use super::samples::{BATCHES, NOW, at_once, attempt, id, ids, order, with_orders, with_products, with_users, write};
use crate::order::Quantity;
use crate::stock::{NewStockEntry, Reservation, Stock, StockEntryKind, StockQuantity};
use crate::store::{Store, StoreError};
use crate::{OptionId, OrderId};

fn units(quantity: i64) -> Quantity {
    Quantity::new(quantity).unwrap()
}

async fn locked(store: &dyn Store, options: &[OptionId]) -> Vec<Stock> {
    write(store, async |uow| uow.stock().lock(options).await).await
}

pub(super) async fn stock_is_taken_in_batches_of_any_size(store: &dyn Store) {
    with_products(store, 150).await;
    for (round, size) in (1..).zip(BATCHES) {
        let mut stock = locked(store, &ids(size)).await;
        assert_eq!(stock.len(), usize::try_from(size).unwrap());
        assert!(stock.is_sorted_by_key(|shelf| shelf.option_id));
        let entries: Vec<_> = stock.iter_mut().map(|shelf| shelf.adjust(-1, "count", NOW).unwrap()).collect();
        write(store, async |uow| uow.stock().save(&stock, &entries).await).await;
        let after = locked(store, &ids(size)).await;
        let raised: Vec<_> = stock.into_iter().map(|shelf| Stock { version: shelf.version + 1, ..shelf }).collect();
        assert_eq!(after, raised, "written, and the version raised");
        assert_eq!(after[0].quantity.units(), 1_000 - round);
    }
}

pub(super) async fn stock_is_locked_ascending_each_once_and_without_unknown_ones(store: &dyn Store) {
    with_products(store, 2).await;
    let found = locked(store, &[4, 1, 99, 4, 2].map(id)).await;
    assert_eq!(found.iter().map(|shelf| shelf.option_id).collect::<Vec<_>>(), [1, 2, 4].map(id));
}

pub(super) async fn a_save_on_top_of_what_was_not_read_is_refused(store: &dyn Store) {
    with_products(store, 1).await;
    let mut stale = locked(store, &ids(2)).await;
    let mut second = stale[1..].to_vec();
    let entry = second[0].adjust(-10, "count", NOW).unwrap();
    write(store, async |uow| uow.stock().save(&second, &[entry]).await).await;

    let entries: Vec<_> = stale.iter_mut().map(|shelf| shelf.adjust(-1, "count", NOW).unwrap()).collect();
    let refused = attempt(store, async |uow| uow.stock().save(&stale, &entries).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    let left: Vec<_> = locked(store, &ids(2)).await.iter().map(|shelf| shelf.quantity.units()).collect();
    assert_eq!(left, [1_000, 990], "all or nothing");
}

pub(super) async fn an_option_has_stock_once(store: &dyn Store) {
    with_products(store, 1).await;
    let stock = locked(store, &[id(1)]).await;
    let refused = attempt(store, async |uow| uow.stock().open(&stock, &[]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

pub(super) async fn the_stock_of_an_unknown_option_cannot_be_saved(store: &dyn Store) {
    with_products(store, 1).await;
    let unknown = Stock { option_id: id(99), ..locked(store, &[id(1)]).await.remove(0) };
    let refused = attempt(store, async |uow| uow.stock().save(&[unknown], &[]).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

/// Order n takes n units of option 1 and one unit of option 2.
async fn reserve(store: &dyn Store, orders: i64) {
    let mut stock = locked(store, &ids(2)).await;
    let mut entries = Vec::new();
    for number in 1..=orders {
        entries.push(stock[0].reserve(units(number % 3 + 1), id(number), NOW).unwrap());
        entries.push(stock[1].reserve(units(1), id(number), NOW).unwrap());
    }
    write(store, async |uow| uow.stock().save(&stock, &entries).await).await;
}

fn reservation(order: i64, option: i64, units: u32) -> Reservation {
    Reservation { order_id: id(order), option_id: id(option), units }
}

pub(super) async fn stock_is_shifted_within_its_bounds_and_not_beyond(store: &dyn Store) {
    with_products(store, 1).await;
    let shift = async |option: i64, delta: i64| write(store, async |uow| uow.stock().shift(id(option), delta).await).await;
    let before = write(store, async |uow| uow.stock().lock(&[id(1)]).await).await.remove(0);
    let quantity = StockQuantity::new(1).unwrap();
    assert_eq!(shift(1, -999).await, Some(quantity));
    let after = write(store, async |uow| uow.stock().lock(&[id(1)]).await).await;
    assert_eq!(after, [Stock { quantity, version: before.version + 1, ..before }]);
    for beyond in [-2, StockQuantity::MAX, i64::MAX, i64::MIN] {
        assert_eq!(shift(1, beyond).await, None, "{beyond}");
    }
    assert_eq!(shift(3, 5).await, None, "there is no such option");
    assert_eq!(shift(1, StockQuantity::MAX - 1).await.map(|quantity| i64::from(quantity.units())), Some(StockQuantity::MAX));
    assert_eq!(shift(1, -StockQuantity::MAX).await, Some(StockQuantity::ZERO));
}

pub(super) async fn no_more_is_shifted_off_the_shelf_than_there_is_by_many_at_once(store: &dyn Store) {
    with_products(store, 1).await;
    let shifted = at_once(20, async || attempt(store, async |uow| uow.stock().shift(id(1), -70).await).await).await;
    let mut left: Vec<u32> = shifted.into_iter().flatten().map(StockQuantity::units).collect();
    left.sort_unstable();
    assert!(left.iter().copied().eq((0..14).map(|times| 1_000 - 70 * (14 - times))), "{left:?}");
}

pub(super) async fn reservations_are_what_was_taken_less_what_was_given_back(store: &dyn Store) {
    with_orders(store, 4).await;
    with_products(store, 1).await;
    reserve(store, 3).await;
    let mut stock = locked(store, &ids(2)).await;
    let back =
        [stock[0].release(1, id(2), NOW).unwrap(), stock[0].release(1, id(3), NOW).unwrap(), stock[1].release(1, id(3), NOW).unwrap()];
    write(store, async |uow| uow.stock().save(&stock, &back).await).await;

    let wanted: Vec<OrderId> = [4, 3, 2, 1, 99].map(id).to_vec();
    let found = write(store, async |uow| uow.stock().reservations(&wanted).await).await;
    let expected = [
        reservation(1, 1, 2),
        reservation(1, 2, 1),
        reservation(2, 1, 2),
        reservation(2, 2, 1),
        reservation(3, 1, 0),
        reservation(3, 2, 0),
    ];
    assert_eq!(found, expected, "ascending by order and option, with zeros, without orders that never took anything");
}

pub(super) async fn a_unit_of_work_sees_the_reservations_it_made(store: &dyn Store) {
    with_users(store, 1).await;
    with_products(store, 1).await;
    let found = write(store, async |uow| {
        uow.orders().insert(&[order(1)]).await?;
        let mut stock = uow.stock().lock(&[id(1)]).await?;
        let entry = stock[0].reserve(units(7), id(1), NOW).unwrap();
        uow.stock().save(&stock, &[entry]).await?;
        uow.stock().reservations(&[id(1)]).await
    })
    .await;
    assert_eq!(found, [reservation(1, 1, 7)]);
}

pub(super) async fn reservations_are_read_in_batches_of_any_size(store: &dyn Store) {
    with_orders(store, 300).await;
    with_products(store, 1).await;
    reserve(store, 300).await;
    for size in BATCHES {
        let found = write(store, async |uow| uow.stock().reservations(&ids(size)).await).await;
        let expected = (1..=size).flat_map(|order| {
            let first = u32::try_from(order % 3 + 1).unwrap();
            [reservation(order, 1, first), reservation(order, 2, 1)]
        });
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

pub(super) async fn the_ledger_keeps_the_order_of_changes_and_their_reasons(store: &dyn Store) {
    with_orders(store, 1).await;
    with_products(store, 1).await;
    let mut stock = locked(store, &[id(1)]).await;
    let changes: [NewStockEntry; 4] = [
        stock[0].adjust(999_999_000, &"사유😀".repeat(20), NOW).unwrap(),
        stock[0].reserve(units(10_000), id(1), NOW).unwrap(),
        stock[0].release(10_000, id(1), NOW).unwrap(),
        stock[0].adjust(-1_000_000_000, "", NOW).unwrap(),
    ];
    write(store, async |uow| uow.stock().save(&stock, &changes).await).await;
    let mut snapshot = store.snapshot().await.unwrap();
    let entries = snapshot.stock_entries(None, 100).await.unwrap();
    let of_option: Vec<_> = entries.into_iter().filter(|entry| entry.change.option_id == id(1)).collect();
    assert!(of_option.is_sorted_by_key(|entry| entry.id));
    assert_eq!(of_option[0].change.kind, StockEntryKind::Initial);
    assert_eq!(of_option.into_iter().skip(1).map(|entry| entry.change).collect::<Vec<_>>(), changes);
}

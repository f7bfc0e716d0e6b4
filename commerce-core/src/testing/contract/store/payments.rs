use super::samples::{BATCHES, NOW, attempt, id, ids, item, order, payment, seconds, with_orders, with_users, write};
use crate::order::Order;
use crate::payment::{Payment, PaymentStatus};
use crate::store::{Store, StoreError};
use crate::{ErrorCode, Money, ProductId, Timestamp};

async fn insert(store: &dyn Store, payments: &[Payment]) -> Result<(), StoreError> {
    attempt(store, async |uow| uow.payments().insert(payments).await).await
}

fn failed(number: i64, order: i64) -> Payment {
    Payment { order_id: id(order), status: PaymentStatus::Failed, failure: Some(ErrorCode::InsufficientUserPoint), ..payment(number) }
}

pub(super) async fn payments_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    with_orders(store, 340).await;
    let mut first = 1;
    for size in BATCHES {
        let payments: Vec<Payment> = (first..first + size).map(payment).collect();
        let mut wanted: Vec<_> = payments.iter().map(|payment| payment.id).rev().collect();
        wanted.extend([wanted[0], id(1_000_000)]);
        let found = write(store, async |uow| {
            uow.payments().insert(&payments).await?;
            uow.payments().find(&wanted).await
        })
        .await;
        assert_eq!(found, payments);
        assert_eq!(store.queries().payment(payments[0].id).await.unwrap().as_ref(), Some(&payments[0]));
        first += size;
    }
    assert_eq!(store.queries().payment(id(1_000)).await.unwrap(), None);
}

pub(super) async fn an_order_has_one_completed_payment_and_any_number_of_others(store: &dyn Store) {
    with_orders(store, 2).await;
    insert(store, &[failed(1, 1), failed(2, 1)]).await.unwrap();
    insert(store, &[Payment { order_id: id(1), ..payment(3) }, failed(4, 1)]).await.unwrap();
    let refused = insert(store, &[Payment { order_id: id(1), ..payment(5) }]).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    let twins = [Payment { order_id: id(2), ..payment(6) }, Payment { order_id: id(2), ..payment(7) }];
    let refused = insert(store, &twins).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "also within a batch: {refused:?}");
}

pub(super) async fn two_payments_at_once_complete_an_order_once(store: &dyn Store) {
    with_orders(store, 1).await;
    let attempts = [1, 2].map(|number| [Payment { order_id: id(1), ..payment(number) }]);
    let (first, second) = futures_util::join!(insert(store, &attempts[0]), insert(store, &attempts[1]));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
}

pub(super) async fn a_payment_whose_id_exists_is_refused(store: &dyn Store) {
    with_orders(store, 2).await;
    insert(store, &[payment(1)]).await.unwrap();
    let refused = insert(store, &[Payment { order_id: id(2), ..payment(1) }]).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

pub(super) async fn payments_are_refunded_in_batches_of_any_size(store: &dyn Store) {
    with_orders(store, 340).await;
    let mut first = 1;
    for size in BATCHES {
        let mut payments: Vec<Payment> = (first..first + size).map(payment).collect();
        let wanted: Vec<_> = payments.iter().map(|payment| payment.id).collect();
        insert(store, &payments).await.unwrap();
        for payment in &mut payments {
            payment.refund().unwrap();
        }
        write(store, async |uow| uow.payments().save(&payments).await).await;
        assert_eq!(write(store, async |uow| uow.payments().find(&wanted).await).await, payments);
        first += size;
    }
}

pub(super) async fn an_unknown_payment_cannot_be_saved(store: &dyn Store) {
    with_orders(store, 1).await;
    insert(store, &[payment(1)]).await.unwrap();
    let refused = attempt(store, async |uow| uow.payments().save(&[payment(1), payment(2)]).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

pub(super) async fn the_largest_and_the_smallest_amount_come_back_as_they_were(store: &dyn Store) {
    with_orders(store, 2).await;
    let payments = [Payment { amount: Money::MAX, ..payment(1) }, Payment { amount: Money::ZERO, ..payment(2) }];
    insert(store, &payments).await.unwrap();
    assert_eq!(write(store, async |uow| uow.payments().find(&ids(2)).await).await, payments);
}

/// Order n holds `units` of a product and is paid at a time.
async fn sell(store: &dyn Store, number: i64, sold: &[(i64, i64)], paid_at: Timestamp, status: PaymentStatus) {
    let mut order: Order = order(number);
    write(store, async |uow| uow.orders().insert(std::slice::from_ref(&order)).await).await;
    order.confirm(sold.iter().map(|&(product, units)| item(product, units)).collect(), Money::ZERO, NOW).unwrap();
    write(store, async |uow| uow.orders().save(std::slice::from_ref(&order)).await).await;
    insert(store, &[Payment { at: paid_at, status, ..payment(number) }]).await.unwrap();
}

async fn sold(store: &dyn Store, from: u64, to: u64, after: Option<i64>, limit: u32) -> Vec<(i64, u64)> {
    let mut snapshot = store.snapshot().await.unwrap();
    let after = after.map(|after| ProductId::new(after).unwrap());
    let sold = snapshot.sold(NOW.plus(seconds(from)), NOW.plus(seconds(to)), after, limit).await.unwrap();
    sold.into_iter().map(|product| (product.product_id.get(), product.units)).collect()
}

pub(super) async fn what_was_sold_is_summed_by_product(store: &dyn Store) {
    with_users(store, 1).await;
    sell(store, 1, &[(1, 3), (2, 5), (3, 5)], NOW, PaymentStatus::Completed).await;
    sell(store, 2, &[(1, 4), (4, 10_000)], NOW, PaymentStatus::Completed).await;
    assert_eq!(sold(store, 0, 1, None, 10).await, [(1, 7), (2, 5), (3, 5), (4, 10_000)]);
    assert_eq!(sold(store, 0, 1, Some(1), 2).await, [(2, 5), (3, 5)]);
}

pub(super) async fn sales_count_from_the_first_instant_to_before_the_last(store: &dyn Store) {
    with_users(store, 1).await;
    for (number, second) in [(1, 9), (2, 10), (3, 19), (4, 20)] {
        sell(store, number, &[(number, 1)], NOW.plus(seconds(second)), PaymentStatus::Completed).await;
    }
    assert_eq!(sold(store, 10, 20, None, 10).await, [(2, 1), (3, 1)]);
    assert_eq!(sold(store, 10, 10, None, 10).await, [(0, 0); 0]);
}

pub(super) async fn only_completed_payments_are_sales(store: &dyn Store) {
    with_users(store, 1).await;
    sell(store, 1, &[(1, 1)], NOW, PaymentStatus::Failed).await;
    sell(store, 2, &[(2, 1)], NOW, PaymentStatus::Completed).await;
    sell(store, 3, &[(3, 1)], NOW, PaymentStatus::Refunded).await;
    insert(store, &[failed(4, 2)]).await.unwrap();
    assert_eq!(sold(store, 0, 1, None, 10).await, [(2, 1)]);
}

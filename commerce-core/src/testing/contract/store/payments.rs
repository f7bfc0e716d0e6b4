use super::samples::{BATCHES, attempt, id, ids, payment, with_orders, write};
use crate::payment::{Payment, PaymentStatus};
use crate::store::{Store, StoreError};
use crate::{ErrorCode, Money};

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

use super::samples::{NOW, id, item, order, payment, seconds, with_users, write};
use crate::messaging::SoldUnits;
use crate::order::OrderItem;
use crate::payment::{Payment, PaymentStatus};
use crate::ranking::{Sale, SaleState};
use crate::store::{SaleCursor, Store};
use crate::{ErrorCode, Money, ProductId, Timestamp};

/// Order n of these items is paid at a time.
async fn sell(store: &dyn Store, number: i64, items: Vec<OrderItem>, paid_at: Timestamp, status: PaymentStatus) {
    let mut order = order(number);
    write(store, async |uow| uow.orders().insert(std::slice::from_ref(&order)).await).await;
    order.confirm(items, Money::ZERO, NOW).unwrap();
    let failure = (status == PaymentStatus::Failed).then_some(ErrorCode::InsufficientUserPoint);
    write(store, async |uow| {
        uow.orders().save(std::slice::from_ref(&order)).await?;
        uow.payments().insert(&[Payment { at: paid_at, status, failure, ..payment(number) }]).await
    })
    .await;
}

/// Order n of one unit of product n is paid a number of seconds after `NOW`.
async fn sell_one(store: &dyn Store, number: i64, second: u64) {
    sell(store, number, vec![item(number, 1)], NOW.plus(seconds(second)), PaymentStatus::Completed).await;
}

fn units(sold: &[(i64, u64)]) -> Vec<SoldUnits> {
    sold.iter().map(|&(product, units)| SoldUnits { product_id: id(product), units }).collect()
}

/// All sales of some seconds, in pages.
async fn sales(store: &dyn Store, from: u64, to: u64, page: u32) -> Vec<Sale> {
    let (mut sales, mut after) = (Vec::new(), None);
    loop {
        let found = store.queries().sales(NOW.plus(seconds(from)), NOW.plus(seconds(to)), after, page).await.unwrap();
        assert!(found.len() <= page as usize, "a page is too long");
        let Some(last) = found.last() else { return sales };
        after = Some(SaleCursor { paid_at: last.paid_at, order_id: last.order_id });
        sales.extend(found);
    }
}

fn orders(sales: &[Sale]) -> Vec<i64> {
    sales.iter().map(|sale| sale.order_id.get()).collect()
}

async fn sold(store: &dyn Store, from: u64, to: u64, after: Option<i64>, limit: u32) -> Vec<(i64, u64)> {
    let mut snapshot = store.snapshot().await.unwrap();
    let after = after.map(|after| ProductId::new(after).unwrap());
    let sold = snapshot.sold(NOW.plus(seconds(from)), NOW.plus(seconds(to)), after, limit).await.unwrap();
    sold.into_iter().map(|product| (product.product_id.get(), product.units)).collect()
}

pub(super) async fn what_was_sold_is_summed_by_product(store: &dyn Store) {
    with_users(store, 1).await;
    sell(store, 1, vec![item(1, 3), item(2, 5), item(3, 5)], NOW, PaymentStatus::Completed).await;
    sell(store, 2, vec![item(4, 10_000), item(1, 4)], NOW, PaymentStatus::Completed).await;
    assert_eq!(sold(store, 0, 1, None, 10).await, [(1, 7), (2, 5), (3, 5), (4, 10_000)]);
    assert_eq!(sold(store, 0, 1, Some(1), 2).await, [(2, 5), (3, 5)]);
}

pub(super) async fn sales_count_from_the_first_instant_to_before_the_last(store: &dyn Store) {
    with_users(store, 1).await;
    for (number, second) in [(1, 9), (2, 10), (3, 19), (4, 20)] {
        sell_one(store, number, second).await;
    }
    assert_eq!(sold(store, 10, 20, None, 10).await, [(2, 1), (3, 1)]);
    assert_eq!(orders(&sales(store, 10, 20, 10).await), [2, 3]);
    assert_eq!(sold(store, 10, 10, None, 10).await, [(0, 0); 0]);
    assert!(sales(store, 10, 10, 10).await.is_empty());
}

pub(super) async fn a_refunded_sale_is_told_as_such_and_a_failed_payment_is_none(store: &dyn Store) {
    with_users(store, 1).await;
    sell(store, 1, vec![item(1, 1)], NOW, PaymentStatus::Failed).await;
    sell(store, 2, vec![item(2, 1)], NOW, PaymentStatus::Completed).await;
    sell(store, 3, vec![item(3, 1)], NOW, PaymentStatus::Refunded).await;
    let refused = Payment { order_id: id(2), status: PaymentStatus::Failed, ..payment(4) };
    write(store, async |uow| uow.payments().insert(&[refused]).await).await;
    assert_eq!(sold(store, 0, 1, None, 10).await, [(2, 1)]);
    let told: Vec<_> = sales(store, 0, 1, 10).await.iter().map(|sale| (sale.order_id.get(), sale.state)).collect();
    assert_eq!(told, [(2, SaleState::Paid), (3, SaleState::Refunded)]);
}

pub(super) async fn a_sale_names_each_product_once_with_the_units_of_all_its_options(store: &dyn Store) {
    with_users(store, 1).await;
    let other_option = OrderItem { option_id: id(14), ..item(7, 4) };
    let paid_at = NOW.plus(seconds(3));
    sell(store, 1, vec![item(9, 1), item(7, 3), other_option], paid_at, PaymentStatus::Completed).await;
    let sale = Sale { order_id: id(1), paid_at, units: units(&[(7, 7), (9, 1)]), state: SaleState::Paid };
    assert_eq!(sales(store, 0, 10, 10).await, [sale]);
    assert_eq!(sold(store, 0, 10, None, 10).await, [(7, 7), (9, 1)]);
}

pub(super) async fn sales_are_paged_by_time_then_order_also_where_many_are_of_one_time(store: &dyn Store) {
    with_users(store, 1).await;
    let paid = [(8, 1), (3, 2), (1, 3), (2, 3), (4, 3), (5, 3), (9, 3), (6, 4), (7, 4)];
    for (number, second) in paid {
        sell_one(store, number, second).await;
    }
    for page in [1, 2, 3, 4, 100] {
        assert_eq!(orders(&sales(store, 0, 10, page).await), paid.map(|(number, _)| number), "in pages of {page}");
    }
    let after = Some(SaleCursor { paid_at: NOW, order_id: id(1_000) });
    let found = store.queries().sales(NOW.plus(seconds(4)), NOW.plus(seconds(10)), after, 10).await.unwrap();
    assert_eq!(orders(&found), [6, 7], "a cursor before the first instant changes nothing");
}

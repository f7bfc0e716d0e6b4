use super::super::runner::eventually;
use super::samples::{BATCHES, NOW, attempt, id, ids, item, krw, order, payment, seconds, with_orders, with_products, with_users, write};
use crate::order::{Order, OrderItem, OrderStatus, Quantity};
use crate::payment::{Payment, PaymentStatus};
use crate::product::{OptionName, ProductName, UnitPrice};
use crate::store::{OrderView, PageLimit, Store, StoreError, UnitOfWork};
use crate::{ErrorCode, Money};

/// Lets orders wait for their payment, each with two items.
async fn confirm(store: &dyn Store, count: i64) -> Vec<Order> {
    let mut orders = write(store, async |uow| uow.orders().lock(&ids(count)).await).await;
    for order in &mut orders {
        order.confirm(vec![item(1, 2), item(2, 10_000)], krw(10), NOW.plus(seconds(5))).unwrap();
    }
    write(store, async |uow| uow.orders().save(&orders).await).await;
    orders.into_iter().map(|order| Order { version: order.version + 1, ..order }).collect()
}

pub(super) async fn orders_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 1).await;
    let mut first = 1;
    for size in BATCHES {
        let orders: Vec<Order> = (first..first + size).map(order).collect();
        let mut wanted: Vec<_> = orders.iter().map(|order| order.id).rev().collect();
        wanted.extend([wanted[0], id(1_000_000)]);
        let locked = write(store, async |uow| {
            uow.orders().insert(&orders).await?;
            uow.orders().lock(&wanted).await
        })
        .await;
        assert_eq!(locked, orders);
        first += size;
    }
}

pub(super) async fn items_are_written_when_an_order_is_confirmed_in_batches_of_any_size(store: &dyn Store) {
    with_users(store, 1).await;
    with_products(store, 2).await;
    let mut first = 1;
    for size in BATCHES {
        let orders: Vec<Order> = (first..first + size).map(order).collect();
        let wanted: Vec<_> = orders.iter().map(|order| order.id).collect();
        write(store, async |uow| uow.orders().insert(&orders).await).await;
        let mut confirmed = orders;
        for order in &mut confirmed {
            order.confirm(vec![item(1, 1), item(2, 3)], Money::ZERO, NOW.plus(seconds(1))).unwrap();
        }
        write(store, async |uow| uow.orders().save(&confirmed).await).await;
        let stored = write(store, async |uow| uow.orders().lock(&wanted).await).await;
        let expected: Vec<_> = confirmed.into_iter().map(|order| Order { version: 1, ..order }).collect();
        assert_eq!(stored, expected);
        first += size;
    }
}

pub(super) async fn items_never_change_afterwards(store: &dyn Store) {
    with_orders(store, 1).await;
    with_products(store, 2).await;
    let mut confirmed = confirm(store, 1).await;
    let items = confirmed[0].items.clone();
    confirmed[0].complete(NOW).unwrap();
    confirmed[0].items.clear();
    write(store, async |uow| uow.orders().save(&confirmed).await).await;
    let stored = store.queries().order(id(1)).await.unwrap().unwrap().order;
    assert_eq!((stored.status, stored.items), (OrderStatus::Completed, items));
}

pub(super) async fn a_unit_of_work_sees_the_orders_it_changed(store: &dyn Store) {
    with_orders(store, 2).await;
    with_products(store, 2).await;
    let change = async |uow: &mut dyn UnitOfWork| {
        // One it places, one it has locked before, and one it meets for the first time,
        uow.orders().insert(&[order(3)]).await?;
        let mut orders = uow.orders().lock(&[id(3), id(1)]).await?;
        for order in &mut orders {
            order.confirm(vec![item(1, 2)], krw(10), NOW).unwrap();
        }
        uow.orders().save(&orders).await?;
        let mut again = uow.orders().lock(&ids(3)).await?;
        // are as it left them,
        let status: Vec<_> = again.iter().map(|order| (order.status, order.version, order.items.len())).collect();
        assert_eq!(status, [(OrderStatus::AwaitingPayment, 1, 1), (OrderStatus::Pending, 0, 0), (OrderStatus::AwaitingPayment, 1, 1)]);
        again[0].complete(NOW).unwrap();
        again[0].items.clear();
        uow.orders().save(&again[..1]).await?;
        let completed = uow.orders().lock(&[id(1)]).await?;
        assert_eq!((completed[0].status, completed[0].items.len()), (OrderStatus::Completed, 1));
        // and what is saved on top of something older is refused.
        assert!(matches!(uow.orders().save(&again[..1]).await, Err(StoreError::Conflict)));
        Ok::<_, StoreError>(())
    };
    let mut uow = store.begin().await.unwrap();
    change(uow.as_mut()).await.unwrap();
    drop(uow);
    // A unit of work that was rolled back leaves nothing to the next one.
    eventually("the rows are free", async || {
        let mut uow = store.begin().await.unwrap();
        let orders = uow.orders().lock(&ids(3)).await;
        orders.ok().filter(|orders| orders.iter().map(|order| order.version).eq([0, 0]))
    })
    .await;
}

pub(super) async fn an_order_that_failed_remembers_why(store: &dyn Store) {
    with_orders(store, ErrorCode::ALL.len().try_into().unwrap()).await;
    let count = ErrorCode::ALL.len().try_into().unwrap();
    let mut orders = write(store, async |uow| uow.orders().lock(&ids(count)).await).await;
    for (order, code) in orders.iter_mut().zip(ErrorCode::ALL) {
        order.fail(*code, NOW).unwrap();
    }
    write(store, async |uow| uow.orders().save(&orders).await).await;
    let stored = write(store, async |uow| uow.orders().lock(&ids(count)).await).await;
    assert_eq!(stored, orders.into_iter().map(|order| Order { version: 1, ..order }).collect::<Vec<_>>());
}

pub(super) async fn a_save_on_top_of_what_was_not_read_is_refused(store: &dyn Store) {
    with_orders(store, 2).await;
    let mut stale = write(store, async |uow| uow.orders().lock(&ids(2)).await).await;
    let mut first = stale[..1].to_vec();
    first[0].fail(ErrorCode::OutOfStock, NOW).unwrap();
    write(store, async |uow| uow.orders().save(&first).await).await;

    for order in &mut stale {
        order.confirm(vec![item(1, 1)], Money::ZERO, NOW).unwrap();
    }
    let refused = attempt(store, async |uow| uow.orders().save(&stale).await).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    let stored = write(store, async |uow| uow.orders().lock(&ids(2)).await).await;
    assert_eq!(stored.iter().map(|order| order.status).collect::<Vec<_>>(), [OrderStatus::Failed, OrderStatus::Pending]);
    assert!(stored.iter().all(|order| order.items.is_empty()), "all or nothing");
}

pub(super) async fn an_order_whose_id_exists_is_refused(store: &dyn Store) {
    with_orders(store, 1).await;
    let refused = attempt(store, async |uow| uow.orders().insert(&[order(1)]).await).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
}

pub(super) async fn an_order_of_many_extreme_items_comes_back_as_it_was(store: &dyn Store) {
    with_orders(store, 1).await;
    let extreme = |option: i64| OrderItem {
        option_id: id(option),
        product_id: id(option),
        product_name: ProductName::parse(&"😀".repeat(30)).unwrap(),
        option_name: OptionName::parse(&"한".repeat(30)).unwrap(),
        unit_price: UnitPrice::new(1_000_000_000).unwrap(),
        quantity: Quantity::new(10_000).unwrap(),
    };
    let mut large = order(1);
    large.confirm((1..=100).map(extreme).collect(), Money::MAX, NOW).unwrap();
    write(store, async |uow| uow.orders().save(std::slice::from_ref(&large)).await).await;
    let stored = store.queries().order(id(1)).await.unwrap().unwrap().order;
    assert_eq!(stored, Order { version: 1, ..large });
    assert_eq!(stored.original_price, krw(1_000_000_000_000_000));
}

pub(super) async fn an_order_is_shown_with_the_payment_that_completed_it(store: &dyn Store) {
    with_orders(store, 4).await;
    let failed = |number: i64, order: i64| Payment {
        order_id: id(order),
        status: PaymentStatus::Failed,
        failure: Some(ErrorCode::InsufficientUserPoint),
        ..payment(number)
    };
    let completed = Payment { order_id: id(2), ..payment(3) };
    let refunded = Payment { order_id: id(3), status: PaymentStatus::Refunded, ..payment(4) };
    let payments = [failed(1, 1), failed(2, 2), completed, refunded];
    write(store, async |uow| uow.payments().insert(&payments).await).await;
    let mut shown = Vec::new();
    for number in 1..=4 {
        shown.push(store.queries().order(id(number)).await.unwrap().unwrap().payment_id.map(crate::PaymentId::get));
    }
    assert_eq!(shown, [None, Some(3), Some(4), None]);
    let page = store.queries().orders_of(id(1), None, PageLimit::default()).await.unwrap();
    let listed: Vec<_> = page.items.iter().map(|view| view.payment_id.map(crate::PaymentId::get)).collect();
    assert_eq!(listed, [None, Some(4), Some(3), None]);
    assert_eq!(store.queries().order(id(99)).await.unwrap(), None);
}

pub(super) async fn a_users_orders_are_paged_newest_first_by_time_then_id(store: &dyn Store) {
    with_users(store, 2).await;
    // Orders 1–30 are placed in threes at the same time; order 31 is another user's.
    let placed = |number: i64| {
        let at = NOW.plus(seconds(u64::try_from(number / 3).unwrap()));
        Order { ordered_at: at, ..order(number) }
    };
    let mut orders: Vec<_> = (1..=30).map(placed).collect();
    orders.push(Order { user_id: id(2), ..placed(31) });
    write(store, async |uow| uow.orders().insert(&orders).await).await;
    for limit in [7, 10, 30] {
        let (mut read, mut before) = (Vec::<OrderView>::new(), None);
        loop {
            let page = store.queries().orders_of(id(1), before, PageLimit::new(limit).unwrap()).await.unwrap();
            read.extend(page.items);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(read.iter().map(|view| view.order.id.get()).collect::<Vec<_>>(), (1..=30).rev().collect::<Vec<_>>());
    }
}

pub(super) async fn orders_in_a_list_have_their_items(store: &dyn Store) {
    with_orders(store, 3).await;
    with_products(store, 2).await;
    let mut confirmed = confirm(store, 2).await;
    confirmed.reverse();
    let page = store.queries().orders_of(id(1), None, PageLimit::default()).await.unwrap();
    let orders: Vec<_> = page.items.into_iter().map(|view| view.order).collect();
    assert_eq!(orders[0], order(3));
    assert_eq!(orders[1..], confirmed);
}

pub(super) async fn overdue_orders_are_those_that_await_payment_the_oldest_deadline_first(store: &dyn Store) {
    with_users(store, 1).await;
    with_products(store, 2).await;
    let placed = (1..=6).map(|number| Order { expires_at: NOW.plus(seconds(u64::try_from(100 - number).unwrap())), ..order(number) });
    let placed: Vec<_> = placed.collect();
    write(store, async |uow| uow.orders().insert(&placed).await).await;
    let mut confirmed = confirm(store, 5).await;
    confirmed[3].cancel(NOW).unwrap();
    write(store, async |uow| uow.orders().save(&confirmed[3..4]).await).await;

    let overdue = async |second: u64, limit: u32| {
        let found = store.queries().overdue_orders(NOW.plus(seconds(second)), limit).await.unwrap();
        found.into_iter().map(crate::OrderId::get).collect::<Vec<_>>()
    };
    assert_eq!(overdue(94, 10).await, [0; 0]);
    assert_eq!(overdue(95, 10).await, [5], "the deadline itself is too late");
    assert_eq!(overdue(98, 10).await, [5, 3, 2]);
    assert_eq!(overdue(1_000, 10).await, [5, 3, 2, 1], "neither pending nor cancelled ones");
    assert_eq!(overdue(1_000, 2).await, [5, 3]);
}

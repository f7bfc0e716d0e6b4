use super::samples::{
    NOW, account, attempt, coupon, id, ids, item, krw, order, payment, seconds, user_coupon, with_coupons, with_orders, with_products,
    with_users, write,
};
use crate::audit::AuditSnapshot;
use crate::coupon::{UserCoupon, UserCouponState};
use crate::order::{Order, Quantity};
use crate::payment::{Payment, PaymentStatus};
use crate::point::ChargeAmount;
use crate::store::{Store, StoreError};
use crate::{Money, OrderId};

/// A page that does not divide anything evenly.
const PAGE: u32 = 7;

/// Reads everything page by page.
macro_rules! all_pages {
    ($snapshot:expr, $scan:ident, $key:expr) => {{
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = $snapshot.$scan(after, PAGE).await.unwrap();
            assert!(page.len() <= 7, "a page is too long");
            let Some(last) = page.last() else { break rows };
            after = Some($key(last));
            rows.extend(page);
        }
    }};
}

async fn charge(store: &dyn Store, user: i64, times: usize) -> Result<(), StoreError> {
    attempt(store, async |uow| {
        let mut accounts = uow.points().lock(&[id(user)]).await?;
        let amount = ChargeAmount::new(1_000).expect("a valid charge");
        let entries: Vec<_> = (0..times).map(|_| accounts[0].charge(amount, None, NOW).expect("a small balance")).collect();
        uow.points().save(&accounts, &entries).await
    })
    .await
}

pub(super) async fn accounts_and_their_ledger_are_paged_in_order(store: &dyn Store) {
    with_users(store, 20).await;
    for (user, times) in [(2, 9), (1, 3), (20, 8), (2, 1)] {
        charge(store, user, times).await.unwrap();
    }
    let mut snapshot = store.snapshot().await.unwrap();
    let accounts = all_pages!(snapshot, accounts, |row: &crate::point::PointAccount| row.user_id);
    assert_eq!(accounts.iter().map(|account| account.user_id).collect::<Vec<_>>(), ids(20));
    assert_eq!(accounts[1].balance, krw(10_000));
    assert_eq!(accounts[2], account(3));
    let entries = all_pages!(snapshot, point_entries, |row: &crate::point::PointEntry| (row.change.user_id, row.id));
    assert!(entries.is_sorted_by_key(|entry| (entry.change.user_id, entry.id)));
    let users: Vec<_> = entries.iter().map(|entry| entry.change.user_id.get()).collect();
    assert_eq!(users, [vec![1; 3], vec![2; 10], vec![20; 8]].concat());
}

pub(super) async fn stock_and_its_ledger_are_paged_in_order(store: &dyn Store) {
    with_products(store, 10).await;
    let mut stock = write(store, async |uow| uow.stock().lock(&ids(5)).await).await;
    let entries: Vec<_> = stock.iter_mut().rev().map(|shelf| shelf.adjust(-1, "count", NOW).unwrap()).collect();
    write(store, async |uow| uow.stock().save(&stock, &entries).await).await;
    let mut snapshot = store.snapshot().await.unwrap();
    let read = all_pages!(snapshot, stock, |row: &crate::stock::Stock| row.option_id);
    assert_eq!(read.iter().map(|shelf| shelf.option_id).collect::<Vec<_>>(), ids(20));
    assert_eq!(read[0].quantity.units(), 999);
    let entries = all_pages!(snapshot, stock_entries, |row: &crate::stock::StockEntry| (row.change.option_id, row.id));
    assert_eq!(entries.len(), 25);
    assert!(entries.is_sorted_by_key(|entry| (entry.change.option_id, entry.id)));
}

pub(super) async fn coupons_and_user_coupons_are_paged_in_order(store: &dyn Store) {
    with_users(store, 10).await;
    with_coupons(store, 2).await;
    let issued: Vec<_> = (1..=10).flat_map(|user| [issued_to(user, 2), issued_to(user, 1)]).collect();
    write(store, async |uow| uow.coupons().issue(&issued).await).await;
    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(all_pages!(snapshot, coupons, |row: &crate::coupon::Coupon| row.id), [coupon(1), coupon(2)]);
    let read = all_pages!(snapshot, user_coupons, |row: &UserCoupon| (row.coupon_id, row.id));
    let expected: Vec<_> = [1, 2].into_iter().flat_map(|coupon| (1..=10).map(move |user| issued_to(user, coupon))).collect();
    assert_eq!(read, expected);
}

fn issued_to(user: i64, coupon: i64) -> UserCoupon {
    UserCoupon { id: id(user * 10 + coupon), task_id: id(user * 10 + coupon), ..user_coupon(user, coupon) }
}

pub(super) async fn orders_come_with_their_items_and_all_that_belongs_to_them(store: &dyn Store) {
    with_orders(store, 20).await;
    with_products(store, 1).await;
    with_coupons(store, 1).await;
    let order_id: OrderId = id(3);
    let held = UserCoupon { state: UserCouponState::Used { order_id, at: NOW }, ..user_coupon(1, 1) };
    let mut confirmed = order(3);
    confirmed.confirm(vec![item(1, 2)], Money::ZERO, NOW).unwrap();
    let payments = [
        Payment { status: PaymentStatus::Failed, order_id, ..payment(9) },
        Payment { order_id, ..payment(8) },
        Payment { order_id: id(2), ..payment(10) },
    ];
    write(store, async |uow| {
        let mut stock = uow.stock().lock(&[id(1)]).await?;
        let reserved = stock[0].reserve(Quantity::new(2).unwrap(), order_id, NOW).unwrap();
        uow.stock().save(&stock, &[reserved]).await?;
        uow.coupons().issue(&[UserCoupon { state: UserCouponState::Issued, ..held.clone() }]).await?;
        uow.coupons().save_user_coupons(std::slice::from_ref(&held)).await?;
        uow.orders().save(std::slice::from_ref(&confirmed)).await?;
        uow.payments().insert(&payments).await?;
        let mut accounts = uow.points().lock(&[id(1)]).await?;
        let charged = accounts[0].charge(ChargeAmount::new(1_000).unwrap(), None, NOW).unwrap();
        let used = accounts[0].pay(krw(200), order_id, NOW).unwrap().unwrap();
        uow.points().save(&accounts, &[charged, used]).await
    })
    .await;

    let mut snapshot = store.snapshot().await.unwrap();
    let orders = all_pages!(snapshot, orders, |row: &Order| row.id);
    assert_eq!(orders.len(), 20);
    assert_eq!(orders[2], Order { version: 1, ..confirmed });
    let wanted: Vec<OrderId> = [99, 3, 2].map(id).to_vec();
    assert_eq!(snapshot.orders_by_id(&wanted).await.unwrap(), orders[1..3]);
    let reservations = snapshot.reservations(&wanted).await.unwrap();
    assert_eq!(reservations.iter().map(|held| (held.order_id.get(), held.option_id.get(), held.units)).collect::<Vec<_>>(), [(3, 1, 2)]);
    let read = snapshot.payments_of(&wanted).await.unwrap();
    assert_eq!(read, [payments[2].clone(), payments[1].clone(), payments[0].clone()], "ascending by order and payment");
    let entries = snapshot.point_entries_of(&wanted).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.change.amount).collect::<Vec<_>>(), [krw(200)]);
    assert_eq!(snapshot.user_coupons_held_by(&wanted).await.unwrap(), std::slice::from_ref(&held));
    assert_eq!(snapshot.user_coupons_by_id(&[id(99), id(1)]).await.unwrap(), [(held, coupon(1))]);
    assert!(snapshot.orphans(10).await.unwrap().is_empty());
}

pub(super) async fn what_belongs_to_many_orders_is_read_at_once(store: &dyn Store) {
    const ORDERS: i64 = 1_000;
    with_orders(store, ORDERS).await;
    let payments: Vec<_> = (1..=ORDERS).map(payment).collect();
    write(store, async |uow| uow.payments().insert(&payments).await).await;
    let mut snapshot = store.snapshot().await.unwrap();
    let orders: Vec<OrderId> = ids(ORDERS);
    assert_eq!(snapshot.payments_of(&orders).await.unwrap(), payments);
    assert_eq!(snapshot.orders_by_id(&orders).await.unwrap().len(), orders.len());
    assert!(snapshot.point_entries_of(&orders).await.unwrap().is_empty());
    assert!(snapshot.reservations(&orders).await.unwrap().is_empty());
    assert!(snapshot.user_coupons_held_by(&orders).await.unwrap().is_empty());
    assert!(snapshot.user_coupons_by_id(&ids(ORDERS)).await.unwrap().is_empty());
}

pub(super) async fn payments_of_orders_that_do_not_exist_are_refused_or_listed(store: &dyn Store) {
    with_orders(store, 1).await;
    let payments = [payment(1), payment(5), payment(3)];
    if attempt(store, async |uow| uow.payments().insert(&payments).await).await.is_ok() {
        let mut snapshot = store.snapshot().await.unwrap();
        assert_eq!(snapshot.orphans(10).await.unwrap(), [id::<OrderId>(3), id(5)]);
        assert_eq!(snapshot.orphans(1).await.unwrap(), [id::<OrderId>(3)]);
    }
}

async fn totals(snapshot: &mut dyn AuditSnapshot) -> (i64, i64) {
    let balances = snapshot.accounts(None, 100).await.unwrap().iter().map(|account| account.balance.krw()).sum();
    let entries = snapshot.point_entries(None, 1_000).await.unwrap().iter().map(|entry| entry.change.amount.krw()).sum();
    (balances, entries)
}

pub(super) async fn a_snapshot_shows_one_moment_and_blocks_no_writer(store: &dyn Store) {
    with_users(store, 3).await;
    charge(store, 1, 1).await.unwrap();
    let mut snapshot = store.snapshot().await.unwrap();
    let first = snapshot.accounts(None, 1).await.unwrap();
    for user in [1, 2, 3] {
        super::super::runner::soon("a write beside a snapshot", charge(store, user, 2)).await.unwrap();
    }
    assert_eq!(first[0].balance, krw(1_000));
    assert_eq!(totals(snapshot.as_mut()).await, (1_000, 1_000), "all pages show the same moment");
    drop(snapshot);
    let mut later = store.snapshot().await.unwrap();
    assert_eq!(totals(later.as_mut()).await, (7_000, 7_000));
}

pub(super) async fn snapshots_add_up_while_a_writer_goes_on(store: &dyn Store) {
    with_users(store, 3).await;
    let write = async {
        for round in 0..30 {
            charge(store, round % 3 + 1, 2).await.unwrap();
        }
    };
    let look = async {
        for _ in 0..10 {
            let mut snapshot = store.snapshot().await.unwrap();
            let (balances, entries) = totals(snapshot.as_mut()).await;
            assert_eq!(balances, entries);
            tokio::task::yield_now().await;
        }
    };
    futures_util::join!(write, look);
    let deadline = NOW.plus(seconds(1));
    assert!(store.queries().overdue_orders(deadline, 1).await.unwrap().is_empty(), "the store still answers");
}

mod boards;
mod coupons;

use super::*;
use crate::coupon::{Coupon, CouponName, Discount, InProcessGate, Position, UserCoupon, UserCouponState};
use crate::lock::Locks;
use crate::messaging::{Event, NewEvent, OrderConfirmed};
use crate::order::{Order, OrderItem, OrderStatus, Quantity};
use crate::payment::{Payment, PaymentMethod, PaymentStatus};
use crate::point::{ChargeAmount, NewPointEntry, PointAccount, PointEntry, PointKind};
use crate::product::{OptionName, ProductName, UnitPrice};
use crate::stock::{NewStockEntry, Stock, StockEntry, StockEntryKind, StockQuantity};
use crate::store::UnitOfWork;
use crate::testing::{ManualClock, MemoryBoard, MemoryLocks, MemoryStore, SeededRandom};
use crate::{ErrorCode, InvalidId, Money};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Order 1 is completed with a coupon, 2 awaits payment, 3 is refunded, 4 is cancelled, 5 failed, 6 is pending with stock taken, and 7 is
/// completed and cost nothing.
const ORDERS: i64 = 7;

fn id<Id: TryFrom<i64, Error = InvalidId>>(number: i64) -> Id {
    Id::try_from(number).unwrap()
}

fn locks() -> Locks {
    Locks::new(Arc::new(MemoryLocks::new()), Arc::new(SeededRandom::new(1)))
}

fn krw(amount: i64) -> Money {
    Money::new(amount).unwrap()
}

/// Three units of option 1.
fn item(price: i64) -> OrderItem {
    OrderItem {
        option_id: id(1),
        product_id: id(1),
        product_name: ProductName::parse("Shirt").unwrap(),
        option_name: OptionName::parse("Blue").unwrap(),
        unit_price: UnitPrice::new(price).unwrap(),
        quantity: Quantity::new(3).unwrap(),
    }
}

fn coupon() -> Coupon {
    Coupon {
        id: id(1),
        name: CouponName::parse("Welcome").unwrap(),
        discount: Discount::Percent(10),
        initial_stock: 2,
        issued: 2,
        opens_at: None,
        expires_at: NOW.plus(Duration::from_secs(1_000)),
        created_at: NOW,
    }
}

/// User coupon 1 is used for order 1; user coupon 2 was given back by order 4.
fn user_coupon(number: i64) -> UserCoupon {
    let used = UserCouponState::Used { order_id: id(1), at: NOW };
    UserCoupon {
        id: id(number),
        user_id: id(number),
        coupon_id: id(1),
        state: if number == 1 { used } else { UserCouponState::Issued },
        position: Position::new(u32::try_from(number).unwrap()).unwrap(),
        task_id: id(number),
        issued_at: NOW,
    }
}

fn order(number: i64) -> Order {
    let user_coupon_id = match number {
        1 => Some(id(1)),
        4 => Some(id(2)),
        _ => None,
    };
    let user = if number == 4 { 2 } else { 1 };
    let mut order = Order::place(id(number), id(user), user_coupon_id, NOW, NOW.plus(Duration::from_mins(15)));
    let (price, discount) = match number {
        1 | 4 => (100, 30),
        7 => (0, 0),
        _ => (100, 0),
    };
    match number {
        5 => order.fail(ErrorCode::OutOfStock, NOW).unwrap(),
        6 => {}
        _ => order.confirm(vec![item(price)], krw(discount), NOW).unwrap(),
    }
    match number {
        1 | 7 => order.complete(NOW).unwrap(),
        3 => order.complete(NOW).and_then(|()| order.refund(NOW)).unwrap(),
        4 => order.cancel(NOW).unwrap(),
        _ => {}
    }
    order
}

fn payment(number: i64, status: PaymentStatus) -> Payment {
    let Order { id: order_id, user_id, total: amount, .. } = order(number);
    Payment { id: id(number), order_id, user_id, method: PaymentMethod::Point, amount, status, failure: None, at: NOW }
}

async fn fill(uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
    let mut accounts = [1, 2].map(|user| PointAccount::open(id(user)));
    uow.points().open(&accounts).await?;
    let paid = |account: &mut PointAccount, number| account.pay(order(number).total, id(number), NOW).unwrap();
    let mut entries = vec![accounts[0].charge(ChargeAmount::new(10_000).unwrap(), None, NOW).unwrap()];
    entries.extend([1, 3, 7].into_iter().filter_map(|number| paid(&mut accounts[0], number)));
    entries.extend(accounts[0].refund(order(3).total, id(3), NOW).unwrap());
    uow.points().save(&accounts, &entries).await?;

    let (mut stock, initial) = Stock::open(id(1), StockQuantity::new(100).unwrap(), NOW);
    let mut entries = vec![initial];
    entries.extend([1, 2, 3, 4, 6, 7].map(|number| stock.reserve(Quantity::new(3).unwrap(), id(number), NOW).unwrap()));
    entries.extend([3, 4].map(|number| stock.release(3, id(number), NOW).unwrap()));
    uow.stock().open(&[stock], &entries).await?;

    uow.coupons().insert(&[coupon()]).await?;
    uow.coupons().issue(&[user_coupon(1), user_coupon(2)]).await?;
    uow.orders().insert(&(1..=ORDERS).map(order).collect::<Vec<_>>()).await?;
    let failed = Payment { id: id(99), failure: Some(ErrorCode::InsufficientUserPoint), ..payment(2, PaymentStatus::Failed) };
    let payments =
        [payment(1, PaymentStatus::Completed), payment(3, PaymentStatus::Refunded), payment(7, PaymentStatus::Completed), failed];
    uow.payments().insert(&payments).await
}

async fn shop() -> MemoryStore {
    let store = MemoryStore::new();
    let mut uow = store.begin().await.unwrap();
    fill(uow.as_mut()).await.unwrap();
    uow.commit().await.unwrap();
    store
}

/// The report on a store alone: its gates are closed, and nothing is counted.
async fn report(store: &MemoryStore) -> AuditReport {
    report_on(store, &InProcessGate::new(), &MemoryBoard::new()).await
}

async fn report_on(store: &MemoryStore, gate: &InProcessGate, board: &MemoryBoard) -> AuditReport {
    let clock = ManualClock::at(NOW.plus(Duration::from_secs(30)));
    audit(Audited { store, gate, board, clock: &clock }, AuditOptions::default(), &mut |_| {}).await.unwrap()
}

/// What the audit of a store says, one line a violation.
async fn lines(store: &MemoryStore) -> Vec<String> {
    report(store).await.violations.iter().map(ToString::to_string).collect()
}

/// The row `number` of a table.
fn row<K: Ord + Clone + TryFrom<i64, Error = InvalidId>, V: Clone>(table: &mut imbl::OrdMap<K, V>, number: i64) -> &mut V {
    table.get_mut(&id::<K>(number)).unwrap()
}

fn change_order(store: &MemoryStore, number: i64, change: impl FnOnce(&mut Order)) {
    store.tamper(|state| change(Arc::make_mut(row(&mut state.orders, number))));
}

fn change_user_coupon(store: &MemoryStore, number: i64, change: impl FnOnce(&mut UserCoupon)) {
    store.tamper(|state| change(row(&mut state.user_coupons, number)));
}

#[tokio::test(start_paused = true)]
async fn a_clean_shop_is_clean_and_everything_was_looked_at() {
    let report = report(&shop().await).await;
    assert_eq!(report.violations, []);
    assert!(report.is_clean());
    let checked = AuditCounts {
        accounts: 2,
        point_entries: 4,
        stock: 1,
        stock_entries: 9,
        orders: 7,
        payments: 4,
        coupons: 1,
        user_coupons: 2,
        gates: 0,
        boards: 0,
    };
    assert_eq!(report.checked, checked);
}

#[tokio::test(start_paused = true)]
async fn an_empty_shop_is_clean() {
    assert!(report(&MemoryStore::new()).await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a1_reports_a_balance_that_its_ledger_does_not_explain() {
    let store = shop().await;
    store.tamper(|state| row(&mut state.accounts, 1).balance = krw(9_999));
    assert_eq!(lines(&store).await, ["A1 user 1: the balance is 9999 but its ledger sums to 9730"]);
}

#[tokio::test(start_paused = true)]
async fn a1_reports_an_entry_that_does_not_follow_from_those_before() {
    let store = shop().await;
    store.tamper(|state| {
        let first = *state.point_entries.keys().next().unwrap();
        state.point_entries.get_mut(&first).unwrap().change.balance_after = krw(1);
    });
    let lines = lines(&store).await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("A1 user 1: entry ") && lines[0].ends_with("says 1 are left but the entries sum to 10000"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a1_reports_entries_without_an_account() {
    let store = shop().await;
    let at = |user: i64, entry: i64| {
        let change = NewPointEntry {
            user_id: id(user),
            kind: PointKind::Charge,
            amount: krw(1_000),
            balance_after: krw(1_000),
            order_id: None,
            idempotency_key: None,
            at: NOW,
        };
        ((id(user), id(entry)), PointEntry { id: id(entry), change })
    };
    store.tamper(|state| state.point_entries.extend([at(9, 900)]));
    assert_eq!(lines(&store).await, ["A1 user 9: entry 900 belongs to no account"]);
}

#[tokio::test(start_paused = true)]
async fn a2_reports_stock_that_its_ledger_does_not_explain() {
    let store = shop().await;
    store.tamper(|state| row(&mut state.stock, 1).quantity = StockQuantity::new(87).unwrap());
    assert_eq!(lines(&store).await, ["A2 option 1: stock is 87 but its ledger sums to 88"]);
}

#[tokio::test(start_paused = true)]
async fn a2_reports_a_ledger_that_begins_twice() {
    let store = shop().await;
    store.tamper(|state| {
        let change = NewStockEntry { option_id: id(1), kind: StockEntryKind::Initial, delta: 0, order_id: None, reason: None, at: NOW };
        state.stock_entries.insert((id(1), id(900)), StockEntry { id: id(900), change });
    });
    assert_eq!(lines(&store).await, ["A2 option 1: its ledger begins 2 times"]);
}

/// Lets an order take more units, or give some back, with stock and ledger in step.
fn move_stock(store: &MemoryStore, order: i64, delta: i64) {
    store.tamper(|state| {
        let shelf = row(&mut state.stock, 1);
        shelf.quantity = StockQuantity::new(i64::from(shelf.quantity.units()) + delta).unwrap();
        let kind = if delta < 0 { StockEntryKind::Reserve } else { StockEntryKind::Release };
        let change = NewStockEntry { option_id: id(1), kind, delta, order_id: Some(id(order)), reason: None, at: NOW };
        state.stock_entries.insert((id(1), id(900)), StockEntry { id: id(900), change });
        *state.reserved.entry((id(order), id(1))).or_default() -= delta;
    });
}

#[tokio::test(start_paused = true)]
async fn a3_reports_an_order_that_does_not_hold_its_items() {
    let store = shop().await;
    move_stock(&store, 2, 1);
    assert_eq!(lines(&store).await, ["A3 order 2: it is AWAITING_PAYMENT with 3 of option 1 but holds 2 of option 1"]);
    let store = shop().await;
    move_stock(&store, 1, 3);
    assert_eq!(lines(&store).await, ["A3 order 1: it is COMPLETED with 3 of option 1 but holds nothing"]);
}

#[tokio::test(start_paused = true)]
async fn a3_reports_an_order_that_ended_but_still_holds_stock_once_it_has_stayed_so() {
    for ended in [3, 4, 5] {
        let store = shop().await;
        move_stock(&store, ended, -2);
        let report = report(&store).await;
        let found: Vec<_> = report.violations.iter().map(|found| (found.check, found.subject.clone(), found.in_flight)).collect();
        assert_eq!(found, [(CheckId::A3, format!("order {ended}"), true)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a3_reports_an_order_that_gave_back_more_than_it_took() {
    let store = shop().await;
    move_stock(&store, 4, 1);
    assert_eq!(lines(&store).await, ["A3 option 1: its ledger says that orders hold 11 units but the orders there are hold 12"]);
}

#[tokio::test(start_paused = true)]
async fn a_pending_order_may_hold_anything() {
    let store = shop().await;
    move_stock(&store, 6, 3);
    assert!(report(&store).await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a4_reports_completed_orders_that_were_not_paid_or_not_fully() {
    let store = shop().await;
    store.tamper(|state| row(&mut state.payments, 1).status = PaymentStatus::Failed);
    assert_eq!(lines(&store).await, ["A4 order 1: it is COMPLETED but has 0 payments that are COMPLETED instead of 1"]);

    let store = shop().await;
    store.tamper(|state| row(&mut state.payments, 1).amount = krw(1));
    assert_eq!(lines(&store).await, ["A4 order 1: its total is 270 but payment 1 is of 1"]);
}

#[tokio::test(start_paused = true)]
async fn a4_reports_orders_that_were_paid_twice_or_without_reason() {
    let store = shop().await;
    store.tamper(|state| {
        state.payments.insert(id(50), Payment { id: id(50), ..payment(1, PaymentStatus::Completed) });
        state.payments.insert(id(51), Payment { id: id(51), ..payment(4, PaymentStatus::Refunded) });
    });
    let expected = [
        "A4 order 1: it is COMPLETED but has 2 payments that are COMPLETED instead of 1",
        "A4 order 4: it is CANCELLED but has 1 payments that are REFUNDED instead of 0",
    ];
    assert_eq!(lines(&store).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a4_reports_points_that_do_not_belong_to_the_order() {
    let store = shop().await;
    store.tamper(|state| {
        let refund = state.point_entries.iter().find(|(_, entry)| entry.change.kind == PointKind::Refund).map(|(key, _)| *key);
        state.point_entries.get_mut(&refund.unwrap()).unwrap().change.order_id = Some(id(4));
    });
    let expected = [
        "A4 order 3: it is REFUNDED but has 0 entries of kind REFUND instead of 1",
        "A4 order 4: it is CANCELLED but has 1 entries of kind REFUND instead of 0",
    ];
    assert_eq!(lines(&store).await, expected);
}

#[tokio::test(start_paused = true)]
async fn orders_that_do_not_exist_are_reported_where_they_are_named() {
    let store = shop().await;
    store.tamper(|state| {
        state.payments.insert(id(50), Payment { id: id(50), order_id: id(77), ..payment(1, PaymentStatus::Failed) });
    });
    assert_eq!(lines(&store).await, ["A4 order 77: a payment names it but it does not exist"]);
    let store = shop().await;
    move_stock(&store, 77, -1);
    let lines = lines(&store).await;
    assert!(lines.contains(&"A3 order 77: the stock ledger names it but it does not exist".to_owned()), "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("A3")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a5_reports_counts_and_places_that_do_not_add_up() {
    let store = shop().await;
    store.tamper(|state| row(&mut state.coupons, 1).issued = 1);
    assert_eq!(lines(&store).await, ["A5 coupon 1: 1 are issued but users hold 2"]);

    let store = shop().await;
    store.tamper(|state| row(&mut state.coupons, 1).initial_stock = 1);
    assert_eq!(lines(&store).await, ["A5 coupon 1: 2 of 1 are in users' hands"]);

    let store = shop().await;
    change_user_coupon(&store, 2, |held| held.position = Position::new(1).unwrap());
    assert_eq!(lines(&store).await, ["A5 user coupon 2: place 1 of coupon 1 is given twice"]);
}

#[tokio::test(start_paused = true)]
async fn a6_reports_an_order_whose_coupon_is_not_used_for_it() {
    let store = shop().await;
    change_user_coupon(&store, 1, |held| held.state = UserCouponState::Issued);
    assert_eq!(lines(&store).await, ["A6 order 1: it is COMPLETED but user coupon 1 is not used for it"]);
}

#[tokio::test(start_paused = true)]
async fn a6_reports_a_coupon_that_is_used_for_an_order_that_does_not_hold_it() {
    let store = shop().await;
    let used = |order: i64| UserCouponState::Used { order_id: id(order), at: NOW };
    change_user_coupon(&store, 2, |held| held.state = used(2));
    assert_eq!(lines(&store).await, ["A6 user coupon 2: it is used for order 2, which does not name it"]);
    change_user_coupon(&store, 2, |held| held.state = used(77));
    assert_eq!(lines(&store).await, ["A6 user coupon 2: it is used for order 77, which does not exist"]);
    change_user_coupon(&store, 2, |held| held.state = used(4));
    let found = report(&store).await.violations;
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["A6 user coupon 2: it is used for order 4, which is CANCELLED"]);
    assert!(found[0].in_flight);
}

#[tokio::test(start_paused = true)]
async fn a7_reports_totals_that_do_not_follow_from_items_and_coupon() {
    let store = shop().await;
    change_order(&store, 2, |order| order.original_price = krw(301));
    change_order(&store, 4, |order| order.discount = krw(29));
    change_order(&store, 5, |order| order.total = krw(1));
    let expected = [
        "A7 order 2: the original price is 301 but its items cost 300",
        "A7 order 2: the total is 300 but it costs 301 less 0",
        "A7 order 4: the discount is 29 but its coupon takes off 30",
        "A7 order 4: the total is 270 but it costs 300 less 29",
        "A7 order 5: it is FAILED but has 0 items and costs 1",
    ];
    assert_eq!(lines(&store).await, expected);
}

fn event() -> NewEvent {
    NewEvent::new(Event::OrderConfirmed(OrderConfirmed { order_id: id(2), total: krw(300) }), NOW)
}

#[tokio::test(start_paused = true)]
async fn a8_reports_an_event_that_stays_undelivered() {
    let store = shop().await;
    let mut uow = store.begin().await.unwrap();
    uow.outbox().append(vec![event()]).await.unwrap();
    uow.commit().await.unwrap();
    let begin = Instant::now();
    let found = report(&store).await.violations;
    assert_eq!(found.len(), 1);
    assert!(found[0].check == CheckId::A8 && found[0].in_flight && found[0].detail == "it is not delivered", "{found:?}");
    assert_eq!(begin.elapsed().as_secs(), 10, "it was given time to settle");
}

#[tokio::test(start_paused = true)]
async fn a8_reports_more_events_than_are_looked_at_again() {
    let store = shop().await;
    let append = async |count: usize| {
        let mut uow = store.begin().await.unwrap();
        uow.outbox().append((0..count).map(|_| event()).collect()).await.unwrap();
        uow.commit().await.unwrap();
    };
    let says_so = async || {
        let (gate, board, clock) = (InProcessGate::new(), MemoryBoard::new(), ManualClock::at(NOW));
        let audited = Audited { store: &store, gate: &gate, board: &board, clock: &clock };
        let options = AuditOptions { settle: Duration::ZERO, ..AuditOptions::default() };
        let found = audit(audited, options, &mut |_| {}).await.unwrap().violations;
        found.iter().any(|found| found.check == CheckId::A8 && found.subject == "the shop")
    };
    append(100_000).await;
    assert!(!says_so().await);
    append(1).await;
    assert!(says_so().await);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_suspected_at_first_is_not_reported_later() {
    let store = shop().await;
    move_stock(&store, 4, -2);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut uow = store.begin().await.unwrap();
        uow.outbox().append(vec![event()]).await.unwrap();
        uow.commit().await.unwrap();
    };
    let (found, ()) = futures_util::join!(lines(&store), meanwhile);
    assert_eq!(found, ["A3 order 4: it is CANCELLED but holds 2 of option 1"]);
}

#[tokio::test(start_paused = true)]
async fn a8_reports_an_order_that_is_pending_for_too_long() {
    let store = shop().await;
    change_order(&store, 6, |order| order.ordered_at = NOW.minus(Duration::from_secs(30)));
    assert!(report(&store).await.is_clean(), "exactly a minute is not too long");
    change_order(&store, 6, |order| order.ordered_at = NOW.minus(Duration::from_secs(31)));
    assert_eq!(lines(&store).await, ["A8 order 6: it is PENDING for 61 s"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_only_in_flight_is_not_reported() {
    let store = shop().await;
    move_stock(&store, 4, -2);
    change_user_coupon(&store, 2, |held| held.state = UserCouponState::Used { order_id: id(4), at: NOW });
    let settle = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        store.tamper(|state| {
            state.stock_entries.remove(&(id(1), id(900)));
            state.reserved.insert((id(4), id(1)), 0);
        });
        change_user_coupon(&store, 2, |held| held.state = UserCouponState::Issued);
    };
    let (report, ()) = futures_util::join!(report(&store), settle);
    assert_eq!(report.violations, []);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_in_flight_is_reported_without_waiting() {
    let store = shop().await;
    change_order(&store, 2, |order| order.status = OrderStatus::Completed);
    let begin = Instant::now();
    let lines = lines(&store).await;
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("A4 order 2")), "{lines:?}");
    assert!(begin.elapsed() < LOOK_EVERY);
}

#[tokio::test(start_paused = true)]
async fn more_rows_than_a_page_has_are_all_looked_at() {
    const MANY: i64 = 2_500;
    let store = MemoryStore::new();
    let mut uow = store.begin().await.unwrap();
    let mut accounts: Vec<_> = (1..=MANY).map(|user| PointAccount::open(id(user))).collect();
    uow.points().open(&accounts).await.unwrap();
    let amount = ChargeAmount::new(1_000).unwrap();
    let entries: Vec<_> = accounts.iter_mut().flat_map(|account| [(); 2].map(|()| account.charge(amount, None, NOW).unwrap())).collect();
    uow.points().save(&accounts, &entries).await.unwrap();
    uow.commit().await.unwrap();
    store.tamper(|state| row(&mut state.accounts, MANY).balance = krw(1));
    let mut last = None;
    let (gate, board, clock) = (InProcessGate::new(), MemoryBoard::new(), ManualClock::at(NOW));
    let audited = Audited { store: &store, gate: &gate, board: &board, clock: &clock };
    let report = audit(audited, AuditOptions::default(), &mut |progress| last = Some(progress)).await.unwrap();
    assert_eq!((report.checked.accounts, report.checked.point_entries), (2_500, 5_000));
    assert_eq!(report.violations.len(), 1);
    assert_eq!(last, Some(AuditProgress { table: "point entries", rows: 5_000 }));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_read_is_reported_by_the_check_that_reads_it_and_the_others_go_on() {
    let store = shop().await;
    store.tamper(|state| {
        state.coupons.remove(&id::<crate::CouponId>(1));
        row(&mut state.accounts, 1).balance = krw(9_999);
    });
    let lines = lines(&store).await;
    assert_eq!(lines[0], "A1 user 1: the balance is 9999 but its ledger sums to 9730");
    assert_eq!(lines[1], "A5 user coupon 1: it is of coupon 1, which does not exist");
    assert!(lines.iter().any(|line| line.starts_with("A6 stored data: a row cannot be read, nor any after it: ")), "{lines:?}");
    assert_eq!(lines.len(), 4, "{lines:?}");
}

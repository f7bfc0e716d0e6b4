//! The jobs that are due by the clock, under clocks that jump and schedulers that compete.

use crate::books::Books;
use crate::shop::Shop;
use commerce_core::coupon::UserCouponStatus;
use commerce_core::idempotency::{Claim, IdempotencyKey, IdempotencyRecord, KeyOwner, StoredAnswer};
use commerce_core::order::OrderStatus;
use commerce_core::scheduler::{Job, Scheduler};
use commerce_core::store::Store;
use commerce_core::{Clock, OptionId, OrderId, UserId};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);

fn scheduler(shop: &Shop) -> Scheduler {
    Scheduler::new(shop.commerce.clone())
}

async fn shop_with_a_buyer() -> (Shop, UserId, OptionId) {
    let shop = Shop::open();
    let buyer = shop.user(100_000).await;
    let option = shop.option(1_000, 1_000).await;
    (shop, buyer, option)
}

async fn confirmed(shop: &Shop, buyer: UserId, option: OptionId) -> OrderId {
    let order = shop.place(buyer, &[(option, 1)], None).await;
    shop.settle().await;
    order
}

#[tokio::test(start_paused = true)]
async fn only_overdue_orders_that_wait_for_payment_end_and_give_everything_back() {
    // Given an order with a coupon, one that is paid, one that comes later, and one whose saga has not begun,
    let (shop, buyer, option) = shop_with_a_buyer().await;
    let (coupon, placed) = (shop.coupon(buyer).await, shop.clock.now());
    let overdue = shop.place(buyer, &[(option, 7)], Some(coupon)).await;
    let paid = confirmed(&shop, buyer, option).await;
    shop.commerce.pay(paid, buyer).await.unwrap();
    shop.clock.advance(Duration::from_secs(1));
    let in_time = confirmed(&shop, buyer, option).await;
    let pending = shop.place(buyer, &[(option, 1)], None).await;
    // when the deadline of the first has just passed,
    shop.clock.set(placed.plus(DEADLINE));
    assert_eq!(scheduler(&shop).run_once(Job::ExpireOrders).await.unwrap(), 1);
    shop.settle().await;
    // then it has ended, and stock and coupon are back.
    assert_eq!(shop.status(overdue).await, OrderStatus::Expired);
    assert_eq!(shop.status(paid).await, OrderStatus::Completed);
    assert_eq!(shop.status(in_time).await, OrderStatus::AwaitingPayment);
    assert_eq!(shop.status(pending).await, OrderStatus::AwaitingPayment);
    assert_eq!(Books::close(&shop).await.stock[&option], 997);
    assert_eq!(shop.coupon_status(buyer).await, UserCouponStatus::Issued);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ends_each_order_once() {
    // Given an order, and a clock that jumps back a day,
    let (shop, buyer, option) = shop_with_a_buyer().await;
    let order = confirmed(&shop, buyer, option).await;
    let placed = shop.clock.now();
    shop.clock.set(placed.minus(24 * HOUR));
    assert_eq!(scheduler(&shop).run_once(Job::ExpireOrders).await.unwrap(), 0);
    // when it jumps forward and back around the deadline,
    for (at, expired) in [(placed.plus(DEADLINE), 1), (placed, 0), (placed.plus(1_000 * HOUR), 0), (placed.minus(HOUR), 0)] {
        shop.clock.set(at);
        assert_eq!(scheduler(&shop).run_once(Job::ExpireOrders).await.unwrap(), expired);
        shop.settle().await;
    }
    // then the order has ended once.
    assert_eq!(shop.status(order).await, OrderStatus::Expired);
    assert_eq!(Books::close(&shop).await.stock[&option], 1_000);
}

#[tokio::test(start_paused = true)]
async fn two_schedulers_end_each_of_many_orders_once() {
    const ORDERS: u64 = 600;
    // Given more overdue orders than one round ends,
    let (shop, buyer, option) = shop_with_a_buyer().await;
    futures_util::future::join_all((0..ORDERS).map(async |_| shop.place(buyer, &[(option, 1)], None).await)).await;
    shop.settle().await;
    shop.clock.advance(DEADLINE);
    // when two schedulers do the job at the same time,
    let (one, two) = (scheduler(&shop), scheduler(&shop));
    let (one, two) = tokio::join!(one.run_once(Job::ExpireOrders), two.run_once(Job::ExpireOrders));
    // then one of them has done all of it, and the other nothing.
    let mut done = [one.unwrap(), two.unwrap()];
    done.sort_unstable();
    assert_eq!(done, [0, ORDERS]);
    shop.settle().await;
    assert_eq!(Books::close(&shop).await.stock[&option], 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_left_to_whoever_holds_its_lock_until_the_lease_is_over() {
    // Given another process that took the lock of the job and died,
    let (shop, buyer, option) = shop_with_a_buyer().await;
    confirmed(&shop, buyer, option).await;
    shop.clock.advance(DEADLINE);
    let locks = &shop.commerce.parts().locks;
    locks.try_acquire("job-expire-orders", Duration::from_secs(30)).await.unwrap().unwrap();
    assert_eq!(scheduler(&shop).run_once(Job::ExpireOrders).await.unwrap(), 0);
    // when its lease is over, then the job is done.
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(scheduler(&shop).run_once(Job::ExpireOrders).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_running_scheduler_ends_orders_by_itself_and_stops_with_the_shop() {
    let (shop, buyer, option) = shop_with_a_buyer().await;
    let order = confirmed(&shop, buyer, option).await;
    shop.commerce.start_scheduler();
    shop.clock.advance(DEADLINE);
    let expired = async {
        while shop.status(order).await != OrderStatus::Expired {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), expired).await.expect("the order ends");
    shop.commerce.shutdown().await;
}

/// Whether a key is known still.
async fn known(shop: &Shop, claim: &Claim) -> bool {
    let mut uow = shop.memory.begin().await.unwrap();
    !uow.idempotency().find(std::slice::from_ref(claim)).await.unwrap().is_empty()
}

#[tokio::test(start_paused = true)]
async fn housekeeping_keeps_keys_for_a_day_and_not_for_ever() {
    // Given a key,
    let (shop, buyer, option) = shop_with_a_buyer().await;
    let claim = Claim { owner: KeyOwner::Anyone, key: IdempotencyKey::parse("k").unwrap(), fingerprint: [0; 32] };
    let answer = StoredAnswer { status: 200, location: None, body: Vec::new() };
    let mut uow = shop.memory.begin().await.unwrap();
    uow.idempotency().insert(&[IdempotencyRecord { claim: claim.clone(), answer, at: shop.clock.now() }]).await.unwrap();
    uow.commit().await.unwrap();
    confirmed(&shop, buyer, option).await;
    // when a day has passed, then it is known still; when a week has, then it is gone, and the books are as they were.
    let before = Books::close(&shop).await;
    shop.clock.advance(24 * HOUR);
    scheduler(&shop).run_once(Job::Housekeeping).await.unwrap();
    assert!(known(&shop, &claim).await);
    shop.clock.advance(6 * 24 * HOUR);
    scheduler(&shop).run_once(Job::Housekeeping).await.unwrap();
    assert!(!known(&shop, &claim).await);
    assert_eq!(Books::close(&shop).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_read_again_from_the_start_after_housekeeping_changes_nothing() {
    // Given orders that were cancelled with their coupon, or failed, and inboxes that were purged since,
    let (shop, buyer, option) = shop_with_a_buyer().await;
    let coupon = shop.coupon(buyer).await;
    let cancelled = shop.place(buyer, &[(option, 1)], Some(coupon)).await;
    shop.place(buyer, &[(option, 2_000)], None).await;
    shop.settle().await;
    shop.commerce.cancel_order(cancelled, commerce_core::user::Actor::Admin).await.unwrap();
    shop.settle().await;
    shop.commerce.adjust_stock(option, 5_000, "a delivery").await.unwrap();
    let before = Books::close(&shop).await;
    shop.clock.advance(72 * HOUR);
    assert!(scheduler(&shop).run_once(Job::Housekeeping).await.unwrap() > 0);
    // when the whole log is read again,
    shop.repeat_history().await;
    shop.settle().await;
    // then nothing has changed.
    assert_eq!(Books::close(&shop).await, before);
    assert_eq!(shop.dead_letters().await, 0);
}

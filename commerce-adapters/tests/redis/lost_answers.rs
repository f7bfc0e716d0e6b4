//! Calls whose answers do not arrive, or that arrive late: they may have been carried out, and are made again.

use super::own_server::OwnServer;
use super::proxy::Proxy;
use super::trial::own;
use commerce_adapters::redis::{Redis, RedisBoard, RedisCache, RedisCounter, RedisGate, RedisLocks, RedisOptions};
use commerce_core::BusinessDay;
use commerce_core::cache::{Look, ReadCache};
use commerce_core::coupon::{Coupon, CouponGate, CouponName, Discount, GatePlace, GateRequest, GateVerdict, PlaceState, Position};
use commerce_core::guard::{Admission, AdmissionCounter};
use commerce_core::lock::DistributedLock;
use commerce_core::messaging::SoldUnits;
use commerce_core::ranking::{RankingBoard, Sale, SaleState};
use commerce_core::{CouponId, OrderId, ProductId, TaskId, Timestamp, UserId};
use libtest_mimic::Trial;
use std::time::Duration;

/// Later than now on any machine: Redis lets go of what has expired.
const NOW: Timestamp = Timestamp::from_millis(4_102_444_800_000);
const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        own("lost_answers::a_request_that_is_made_again_has_the_place_it_was_given", a_request_that_is_made_again_has_its_place),
        own("lost_answers::a_lock_whose_grant_was_not_heard_is_the_askers", a_lock_whose_grant_was_not_heard_is_the_askers),
        own(
            "lost_answers::a_lock_that_was_granted_to_an_attempt_that_failed_is_the_next_askers",
            a_lock_that_was_granted_to_an_attempt_that_failed,
        ),
        own(
            "lost_answers::a_lock_that_was_granted_to_an_attempt_that_failed_is_free_after_its_lease",
            a_lock_whose_lease_has_ended_unheard,
        ),
        own("lost_answers::a_release_that_was_not_heard_is_a_release", a_release_that_was_not_heard_is_a_release),
        own("lost_answers::a_lock_that_is_asked_for_again_late_stays_free", a_lock_that_is_asked_for_again_late_stays_free),
        own("lost_answers::units_are_taken_and_given_back_once_whatever_is_heard_of_it", units_are_taken_and_given_back_once),
        own("lost_answers::a_right_to_fill_that_was_not_heard_of_is_the_readers", a_right_to_fill_that_was_not_heard_of_is_the_readers),
        own("lost_answers::a_gate_that_is_closed_again_late_keeps_what_was_loaded", a_gate_that_is_closed_again_late),
        own("lost_answers::a_day_that_is_cleared_again_late_keeps_what_was_counted", a_day_that_is_cleared_again_late),
    ]
}

/// A server of one's own behind a proxy, and a handle that does not wait for long.
async fn behind_a_proxy() -> (OwnServer, Proxy, Redis) {
    let server = OwnServer::start(&[]);
    let proxy = Proxy::to(server.port).await;
    let mut options: RedisOptions = proxy.url().parse().unwrap();
    options.response_timeout = Duration::from_millis(300);
    let redis = Redis::connect(&options).await.unwrap();
    (server, proxy, redis)
}

fn coupon() -> Coupon {
    Coupon {
        id: CouponId::new(1).unwrap(),
        name: CouponName::parse("Welcome").unwrap(),
        discount: Discount::Percent(10),
        initial_stock: 10,
        issued: 0,
        opens_at: None,
        expires_at: NOW.plus(Duration::from_hours(1)),
        created_at: NOW,
    }
}

fn request(number: i64) -> GateRequest {
    let (task_id, user_id) = (TaskId::new(number).unwrap(), UserId::new(number).unwrap());
    GateRequest { task_id, coupon_id: coupon().id, user_id, now: NOW, window: Duration::from_mins(3) }
}

fn admitted(position: u32) -> GateVerdict {
    GateVerdict::Admitted(Position::new(position).unwrap())
}

async fn a_request_that_is_made_again_has_its_place() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let gate = RedisGate::new(redis);
    gate.close(coupon().id, 1).await.unwrap();
    assert!(gate.open(&coupon(), 1).await.unwrap());
    for number in 1..=5 {
        proxy.lose_next_answer();
        assert_eq!(gate.admit(&request(i64::from(number))).await.unwrap(), admitted(number));
    }
    assert_eq!(proxy.lost(), 5, "no answer came but that of the second call");
    assert_eq!(gate.census(coupon().id).await.unwrap().unwrap().pending, 5);
}

async fn a_lock_whose_grant_was_not_heard_is_the_askers() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let locks = RedisLocks::new(redis);
    proxy.lose_next_answer();
    let grant = locks.try_acquire("gate", LEASE).await.unwrap().expect("the lock is free");
    assert_eq!(proxy.lost(), 1);
    assert_eq!(locks.try_acquire("gate", LEASE).await.unwrap(), None);
    assert!(locks.renew(&grant, LEASE).await.unwrap());
}

/// From now on the server grants a lock by the first command that is sent.
async fn know_the_script(locks: &RedisLocks) {
    let grant = locks.try_acquire("gate", LEASE).await.unwrap().expect("the lock is free");
    assert!(locks.release(&grant).await.unwrap());
}

async fn a_lock_that_was_granted_to_an_attempt_that_failed() {
    let (server, proxy, redis) = behind_a_proxy().await;
    let locks = RedisLocks::new(redis);
    know_the_script(&locks).await;
    proxy.lose_every_answer();
    assert!(locks.try_acquire("gate", LEASE).await.is_err(), "no attempt was answered");
    proxy.lose_no_answer();
    let another = RedisLocks::new(Redis::connect(&server.url().parse().unwrap()).await.unwrap());
    assert_eq!(another.try_acquire("gate", LEASE).await.unwrap(), None, "it was granted");
    let grant = locks.try_acquire("gate", LEASE).await.unwrap().expect("it is the asker's");
    assert_eq!(locks.try_acquire("gate", LEASE).await.unwrap(), None, "it is granted to one of them");
    assert!(locks.renew(&grant, LEASE).await.unwrap() && locks.release(&grant).await.unwrap());
    assert!(another.try_acquire("gate", LEASE).await.unwrap().is_some(), "it was let go");
}

async fn a_lock_whose_lease_has_ended_unheard() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let locks = RedisLocks::new(redis);
    know_the_script(&locks).await;
    proxy.lose_every_answer();
    // It has ended long before the last attempt is given up.
    assert!(locks.try_acquire("gate", Duration::from_millis(1)).await.is_err(), "no attempt was answered");
    proxy.lose_no_answer();
    assert!(locks.try_acquire("gate", LEASE).await.unwrap().is_some(), "nobody has it");
}

async fn a_release_that_was_not_heard_is_a_release() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let locks = RedisLocks::new(redis);
    let grant = locks.try_acquire("gate", LEASE).await.unwrap().expect("the lock is free");
    proxy.lose_next_answer();
    assert!(locks.release(&grant).await.unwrap());
    assert_eq!(proxy.lost(), 1);
    assert!(!locks.release(&grant).await.unwrap(), "it is another release");
}

async fn a_lock_that_is_asked_for_again_late_stays_free() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let locks = RedisLocks::new(redis);
    let first = locks.try_acquire("gate", LEASE).await.unwrap().expect("the lock is free");
    assert!(locks.release(&first).await.unwrap());
    proxy.hold_call(1);
    let grant = locks.try_acquire("gate", LEASE).await.unwrap().expect("the lock is free");
    assert!(locks.release(&grant).await.unwrap());
    proxy.let_go().await;
    assert!(locks.try_acquire("gate", LEASE).await.unwrap().is_some(), "nobody has it");
}

async fn units_are_taken_and_given_back_once() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let counter = RedisCounter::new(redis);
    counter.tell("stock", 3, LEASE).await.unwrap();
    proxy.lose_next_answer();
    assert_eq!(counter.take("stock", 2).await.unwrap(), Admission::Taken);
    proxy.lose_next_answer();
    counter.give("stock", 1).await.unwrap();
    assert_eq!(proxy.lost(), 2);
    assert_eq!(counter.take("stock", 2).await.unwrap(), Admission::Taken, "two of three, one back");
    assert_eq!(counter.take("stock", 1).await.unwrap(), Admission::TooLate);
}

async fn a_right_to_fill_that_was_not_heard_of_is_the_readers() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let (cache, keys) = (RedisCache::new(redis), ["product:1".to_owned()]);
    proxy.lose_next_answer();
    let looks = cache.look(&keys, LEASE).await.unwrap();
    let [Look::Granted(right)] = looks[..] else { panic!("{looks:?}") };
    // Filled twice, as the first answer is lost, it is there once and for all.
    proxy.lose_next_answer();
    cache.fill(&keys[0], right, b"shoes".to_vec(), LEASE).await.unwrap();
    assert_eq!(proxy.lost(), 2);
    assert_eq!(cache.look(&keys, LEASE).await.unwrap(), [Look::Found(b"shoes".to_vec())]);
}

async fn a_gate_that_is_closed_again_late() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let gate = RedisGate::new(redis);
    let coupon = coupon();
    gate.close(coupon.id, 1).await.unwrap();
    // The first attempt is held up, and the second one is carried out. Before either, the coupon is noted by a call of its own.
    proxy.hold_call(2);
    gate.close(coupon.id, 2).await.unwrap();
    let place = GatePlace {
        task_id: TaskId::new(7).unwrap(),
        user_id: UserId::new(7).unwrap(),
        position: Position::new(7).unwrap(),
        at: NOW,
        state: PlaceState::Issued,
    };
    assert!(gate.load(coupon.id, 2, &[place]).await.unwrap());
    proxy.let_go().await;
    assert!(gate.open(&coupon, 2).await.unwrap());
    assert_eq!(gate.census(coupon.id).await.unwrap().unwrap().issued, 1, "what was loaded is there");
    assert_eq!(gate.admit(&request(1)).await.unwrap(), admitted(8));
}

async fn a_day_that_is_cleared_again_late() {
    let (_server, proxy, redis) = behind_a_proxy().await;
    let (board, day) = (RedisBoard::new(redis), BusinessDay::parse("2100-03-01").unwrap());
    assert!(board.clear(day, 1).await.unwrap());
    proxy.hold_call(1);
    assert!(board.clear(day, 2).await.unwrap());
    let units = vec![SoldUnits { product_id: ProductId::new(1).unwrap(), units: 3 }];
    let sale = Sale { order_id: OrderId::new(1).unwrap(), paid_at: NOW, units: units.clone(), state: SaleState::Paid };
    board.record(day, &[sale]).await.unwrap();
    proxy.let_go().await;
    assert!(board.mark_whole(day, 2).await.unwrap());
    assert_eq!(board.sold(day, None, 10).await.unwrap(), units);
}

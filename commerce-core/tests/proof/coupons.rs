//! Coupons, first come, first served: what the gate says, what the issuer decides, and what is left behind in between.

use crate::shop::Shop;
use commerce_core::coupon::{
    Coupon, CouponName, Discount, GateRefusal, GateRequest, GateVerdict, InProcessGate, NewCoupon, RequestCoupon, RequestOutcome,
    Settlement,
};
use commerce_core::idempotency::KeyedCommand;
use commerce_core::lock::{LockName, Tenure};
use commerce_core::messaging::Group;
use commerce_core::notify::TaskStatus;
use commerce_core::scheduler::{Job, Scheduler};
use commerce_core::store::Store;
use commerce_core::user::Actor;
use commerce_core::{AdmissionError, Clock, Commerce, CouponId, ErrorCode, Settings, TaskId, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const A_DAY: Duration = Duration::from_hours(24);
const WINDOW: Duration = Duration::from_mins(3);
const LEFT_BEHIND: Duration = Duration::from_secs(6);

async fn offer(shop: &Shop, stock: i64) -> CouponId {
    let new = NewCoupon {
        name: CouponName::parse("Welcome").unwrap(),
        discount: Discount::Percent(10),
        initial_stock: stock,
        opens_at: None,
        expires_at: shop.clock.now().plus(A_DAY),
    };
    shop.commerce.create_coupon(new).await.unwrap().id
}

async fn ask(shop: &Shop, user: UserId, coupon: CouponId) -> Result<TaskId, AdmissionError> {
    shop.commerce.request_coupon(user, coupon).await.map(|request| request.task_id)
}

/// The refusal of a request.
async fn refusal(shop: &Shop, user: UserId, coupon: CouponId) -> GateRefusal {
    match ask(shop, user, coupon).await {
        Err(AdmissionError::Refused(refusal)) => refusal,
        other => panic!("it was not refused but {other:?}"),
    }
}

async fn outcome(shop: &Shop, task: TaskId) -> RequestOutcome {
    shop.commerce.coupon_request(task, Actor::Admin).await.unwrap().expect("the task is known").outcome
}

async fn position(shop: &Shop, user: UserId) -> u32 {
    shop.queries().user_coupons(user).await.unwrap()[0].0.position.get()
}

async fn stored(shop: &Shop, coupon: CouponId) -> Coupon {
    shop.queries().coupon(coupon).await.unwrap().unwrap()
}

async fn sweep(shop: &Shop) -> u64 {
    Scheduler::new(shop.commerce.clone()).run_once(Job::SweepCoupons).await.unwrap()
}

fn failed(code: ErrorCode) -> impl Fn(RequestOutcome) -> bool {
    move |outcome| matches!(outcome, RequestOutcome::Failed { code: is, .. } if is == code)
}

#[tokio::test(start_paused = true)]
async fn ten_coupons_go_to_the_first_ten_who_ask() {
    let shop = Shop::open();
    let coupon = offer(&shop, 10).await;
    let mut users = Vec::new();
    for _ in 0..30 {
        users.push(shop.user(0).await);
    }
    let mut tasks = Vec::new();
    for user in &users {
        tasks.push(ask(&shop, *user, coupon).await);
    }
    shop.issue_coupons().await;
    for (index, (user, task)) in users.iter().zip(tasks).enumerate() {
        if index < 10 {
            assert!(matches!(outcome(&shop, task.unwrap()).await, RequestOutcome::Issued { .. }));
            assert_eq!(position(&shop, *user).await as usize, index + 1);
        } else {
            assert!(matches!(task, Err(AdmissionError::Refused(GateRefusal::OutOfStock))));
        }
    }
    assert_eq!(stored(&shop, coupon).await.issued, 10);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_asks_again_is_told_to_wait_and_then_that_it_has_the_coupon() {
    let shop = Shop::open();
    let (user, coupon) = (shop.user(0).await, offer(&shop, 10).await);
    ask(&shop, user, coupon).await.unwrap();
    assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::TooManyRequests { retry_after: WINDOW });
    shop.clock.advance(WINDOW);
    assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::Duplicated);
    shop.issue_coupons().await;
    assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::Duplicated);
}

#[tokio::test(start_paused = true)]
async fn a_user_that_does_not_exist_gives_the_place_back() {
    let shop = Shop::open();
    let (nobody, coupon) = (UserId::new(4_711).unwrap(), offer(&shop, 1).await);
    let task = ask(&shop, nobody, coupon).await.unwrap();
    let user = shop.user(0).await;
    assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::OutOfStock);
    shop.issue_coupons().await;
    assert!(failed(ErrorCode::InactiveUser)(outcome(&shop, task).await));
    // The place is free again, its number is not.
    ask(&shop, user, coupon).await.unwrap();
    shop.issue_coupons().await;
    assert_eq!(position(&shop, user).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_did_not_reach_the_store_is_swept_up() {
    // Given a place whose holder crashed before it handed the request in,
    let shop = Shop::open();
    let (user, coupon) = (shop.user(0).await, offer(&shop, 1).await);
    let admitted = shop.commerce.admit(user, coupon).await.unwrap();
    assert_eq!(sweep(&shop).await, 0, "it may still be on its way");
    // when it is left behind for a few seconds,
    shop.clock.advance(LEFT_BEHIND);
    assert_eq!(sweep(&shop).await, 1);
    shop.issue_coupons().await;
    // then the coupon is issued all the same, and the gate knows it.
    assert!(matches!(outcome(&shop, admitted.task_id).await, RequestOutcome::Issued { .. }));
    shop.clock.advance(LEFT_BEHIND);
    assert_eq!(sweep(&shop).await, 0);
    assert_eq!(shop.commerce.parts().gate.census(coupon).await.unwrap().unwrap().pending, 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_slow_is_not_asked_for_again_and_again() {
    let shop = Shop::open();
    let (user, coupon) = (shop.user(0).await, offer(&shop, 1).await);
    ask(&shop, user, coupon).await.unwrap();
    shop.clock.advance(LEFT_BEHIND);
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(sweep(&shop).await, 0);
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(sweep(&shop).await, 1);
    shop.issue_coupons().await;
    assert_eq!(stored(&shop, coupon).await.issued, 1, "asked for three times, issued once");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_forgot_admits_nobody_until_it_is_rebuilt() {
    // Given a coupon of which one is issued and one requested,
    let gate = InProcessGate::new();
    let shop = Shop::with(Settings::default(), |parts| parts.gate = Arc::new(gate.clone()));
    let (first, second, third, coupon) = (shop.user(0).await, shop.user(0).await, shop.user(0).await, offer(&shop, 3).await);
    ask(&shop, first, coupon).await.unwrap();
    shop.issue_coupons().await;
    ask(&shop, second, coupon).await.unwrap();
    // when the gate forgets,
    gate.wipe();
    assert!(matches!(ask(&shop, third, coupon).await, Err(AdmissionError::Closed)));
    // then the first request has it rebuilt,
    let opened = async {
        while gate_is_closed(&shop, coupon).await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(A_DAY, opened).await.unwrap();
    // with the coupon that was issued and the place that was given, and their windows.
    assert!(matches!(refusal(&shop, first, coupon).await, GateRefusal::TooManyRequests { .. }));
    assert!(matches!(refusal(&shop, second, coupon).await, GateRefusal::TooManyRequests { .. }));
    ask(&shop, third, coupon).await.unwrap();
    shop.issue_coupons().await;
    assert_eq!((position(&shop, second).await, position(&shop, third).await), (2, 3));
    assert_eq!(refusal(&shop, shop.user(0).await, coupon).await, GateRefusal::OutOfStock);
}

async fn gate_is_closed(shop: &Shop, coupon: CouponId) -> bool {
    shop.commerce.parts().gate.census(coupon).await.unwrap().is_none()
}

/// A coupon of which one of two was issued, while its gate takes both for issued.
async fn coupon_whose_gate_is_wrong(shop: &Shop) -> CouponId {
    let coupon_id = offer(shop, 2).await;
    ask(shop, shop.user(0).await, coupon_id).await.unwrap();
    shop.issue_coupons().await;
    let (gate, task_id, user_id, now) = (&shop.commerce.parts().gate, TaskId::new(4_711).unwrap(), shop.user(0).await, shop.clock.now());
    let admitted = gate.admit(&GateRequest { task_id, coupon_id, user_id, now, window: Duration::ZERO }).await.unwrap();
    let GateVerdict::Admitted(position) = admitted else { panic!("{admitted:?}") };
    gate.settle(&[Settlement { coupon_id, task_id, user_id, issued: Some(position), at: now }]).await.unwrap();
    assert_eq!(refusal(shop, shop.user(0).await, coupon_id).await, GateRefusal::OutOfStock);
    coupon_id
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_an_operator_asks_for_is_rebuilt_by_whoever_handles_the_events() {
    let shop = Shop::open();
    let (coupon, unknown) = (coupon_whose_gate_is_wrong(&shop).await, CouponId::new(4_711).unwrap());
    // However often it is asked for, and whatever else is.
    for coupon in [coupon, unknown, coupon] {
        shop.commerce.ask_for_gate(coupon).await.unwrap();
    }
    shop.deliver(Group::CouponGate).await;
    let (last, late) = (shop.user(0).await, shop.user(0).await);
    ask(&shop, last, coupon).await.unwrap();
    shop.issue_coupons().await;
    assert_eq!(stored(&shop, coupon).await.issued, 2);
    assert_eq!(refusal(&shop, late, coupon).await, GateRefusal::OutOfStock);
    assert!(gate_is_closed(&shop, unknown).await);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_gate_in_other_hands_is_rebuilt_once_they_let_it_go() {
    // Given somebody who is rebuilding a gate, and may have looked at the store a while ago,
    let shop = Shop::open();
    let coupon = coupon_whose_gate_is_wrong(&shop).await;
    let held = shop.commerce.locks().try_lock(&[LockName::of("gate", coupon)], Tenure::JOB).await.unwrap().expect("it is free");
    // when the operator asks for the gate,
    shop.commerce.ask_for_gate(coupon).await.unwrap();
    let user = shop.user(0).await;
    let let_go = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::OutOfStock);
        held.release().await.unwrap();
    };
    // then it is rebuilt afterwards, and not passed over.
    futures_util::join!(shop.deliver(Group::CouponGate), let_go);
    ask(&shop, user, coupon).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn places_that_a_gate_gave_twice_are_told_apart_by_the_issuer() {
    // Given a gate that forgets what it admitted before it is stored, so that it admits too many and gives places twice,
    let gate = InProcessGate::new();
    let shop = Shop::with(Settings::default(), |parts| parts.gate = Arc::new(gate.clone()));
    let coupon = offer(&shop, 3).await;
    let mut admitted = Vec::new();
    let mut users = Vec::new();
    for _ in 0..2 {
        for _ in 0..2 {
            users.push(shop.user(0).await);
            admitted.push(shop.commerce.admit(users[users.len() - 1], coupon).await.unwrap());
        }
        gate.wipe();
        shop.commerce.gate_keeper().rebuild(coupon).await.unwrap();
    }
    // and one user that is admitted a second time,
    admitted.push(shop.commerce.admit(users[0], coupon).await.unwrap());
    let command = |admission| KeyedCommand::without_key(RequestCoupon { admission: Ok(admission), trace_parent: None });
    shop.commerce.desks().request_coupon.submit_all(admitted.iter().copied().map(command).collect()).await.unwrap();
    // when the issuer decides,
    shop.issue_coupons().await;
    // then three are issued, each place once, and nobody has two.
    assert_eq!(stored(&shop, coupon).await.issued, 3);
    let issued = shop.queries().issued_of(coupon, None, 10).await.unwrap();
    let places: BTreeSet<_> = issued.iter().map(|held| held.position.get()).collect();
    let holders: BTreeSet<_> = issued.iter().map(|held| held.user_id).collect();
    assert_eq!((places.len(), holders.len()), (3, 3));
    assert!(failed(ErrorCode::OutOfStockCoupon)(outcome(&shop, admitted[3].task_id).await));
    assert!(failed(ErrorCode::DuplicatedCoupon)(outcome(&shop, admitted[4].task_id).await));
    // The gate has learned it.
    assert_eq!(refusal(&shop, shop.user(0).await, coupon).await, GateRefusal::OutOfStock);
}

#[tokio::test(start_paused = true)]
async fn coupons_that_do_not_exist_are_not_open_or_are_over_are_told_apart() {
    let shop = Shop::open();
    let (user, unknown) = (shop.user(0).await, CouponId::new(4_711).unwrap());
    assert_eq!(refusal(&shop, user, unknown).await, GateRefusal::Inactive);
    let coupon = offer(&shop, 1).await;
    shop.clock.advance(A_DAY);
    assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::Expired);
    // A gate that has forgotten an expired coupon still knows what to say.
    shop.clock.advance(2 * A_DAY);
    sweep(&shop).await;
    assert!(gate_is_closed(&shop, coupon).await);
    assert_eq!(refusal(&shop, user, coupon).await, GateRefusal::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_answered_when_it_is_decided_and_for_as_long_as_the_coupon_is_held() {
    let shop = Shop::open();
    let (user, coupon) = (shop.user(0).await, offer(&shop, 1).await);
    let request = shop.commerce.request_coupon(user, coupon).await.unwrap();
    let waiting = tokio::spawn({
        let shop: Commerce = shop.commerce.clone();
        async move { shop.task_once_decided(&request, A_DAY).await.unwrap() }
    });
    shop.issue_coupons().await;
    let update = waiting.await.unwrap();
    assert_eq!((update.status.as_str(), update.position.map(u32::from)), ("SUCCESS", Some(1)));
    // The request is forgotten some day, what came of it is not.
    shop.clock.advance(30 * A_DAY);
    shop.memory.purge(shop.clock.now(), 1_000).await.unwrap();
    assert!(shop.queries().coupon_requests(&[update.task_id]).await.unwrap().is_empty());
    assert!(matches!(outcome(&shop, update.task_id).await, RequestOutcome::Issued { .. }));
    assert_eq!(shop.commerce.coupon_request(update.task_id, Actor::Customer(shop.user(0).await)).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn events_of_the_issuer_that_are_told_again_change_nothing() {
    let shop = Shop::open();
    let (user, coupon) = (shop.user(0).await, offer(&shop, 2).await);
    ask(&shop, user, coupon).await.unwrap();
    shop.issue_coupons().await;
    for _ in 0..2 {
        shop.repeat_history().await;
        shop.retell_history().await;
        shop.deliver(Group::CouponIssuer).await;
        shop.deliver(Group::CouponGate).await;
    }
    let census = shop.commerce.parts().gate.census(coupon).await.unwrap().unwrap();
    assert_eq!((census.issued, census.pending, stored(&shop, coupon).await.issued), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rebuild_that_broke_off_before_the_coupon_expired_leaves_no_place_behind() {
    // Given a coupon that was issued while its gate was closed by a process that crashed then,
    let shop = Shop::open();
    let (user, coupon) = (shop.user(0).await, offer(&shop, 10).await);
    ask(&shop, user, coupon).await.unwrap();
    let gate = &shop.commerce.parts().gate;
    gate.close(coupon, 1).await.unwrap();
    shop.issue_coupons().await;
    // when the coupon has expired, and requests that were left behind are swept up,
    shop.clock.advance(A_DAY);
    sweep(&shop).await;
    // then the place is settled.
    assert_eq!(gate.pending(shop.clock.now(), 10).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_told_when_it_happens_and_at_once_to_whoever_comes_later() {
    // Given somebody who watches a request that is not decided,
    let shop = Shop::open();
    shop.commerce.start_consumers(&[Group::Notification]);
    let (user, coupon) = (shop.user(0).await, offer(&shop, 1).await);
    let task = ask(&shop, user, coupon).await.unwrap();
    let watching = {
        let commerce = shop.commerce.clone();
        tokio::spawn(async move { commerce.watch_task(task).await.outcome().await.unwrap() })
    };
    tokio::task::yield_now().await;
    // when it is decided,
    let begun = Instant::now();
    shop.issue_coupons().await;
    shop.carry().await;
    // then it is told, and long before it would have looked again,
    let told = watching.await.unwrap().expect("the outcome");
    assert_eq!(told.status, TaskStatus::Success);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // and who comes later does not wait at all.
    let begun = Instant::now();
    assert_eq!(shop.commerce.watch_task(task).await.outcome().await.unwrap(), Some(told));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

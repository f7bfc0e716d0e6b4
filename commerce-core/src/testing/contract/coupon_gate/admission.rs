use super::samples::{
    DUPLICATED, EXPIRED, INACTIVE, NOW, OFFERED_FOR, OUT_OF_STOCK, WINDOW, admit, admit_users, admitted, at, census, coupon, id, open,
    open_with, place, request, too_many,
};
use crate::coupon::{Coupon, CouponGate, GateRequest, GateVerdict, PlaceState};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

const MILLI: Duration = Duration::from_millis(1);

pub(crate) async fn a_coupon_nobody_told_of_is_closed(gate: &dyn CouponGate) {
    assert_eq!(admit(gate, request(1, 1, NOW)).await, GateVerdict::Closed);
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
    open_with(gate, &coupon(2, 5), 1, &[]).await;
    assert_eq!(admit(gate, request(1, 1, NOW)).await, GateVerdict::Closed, "another coupon is another coupon");
}

pub(crate) async fn places_are_given_in_the_order_of_requests(gate: &dyn CouponGate) {
    open(gate, 100).await;
    assert_eq!(census(gate).await, (0, 0));
    for (user, number) in [30, 10, 20].into_iter().zip(1..) {
        assert_eq!(admit(gate, request(user, user, NOW)).await, admitted(number));
    }
    assert_eq!(census(gate).await, (0, 3));
}

pub(crate) async fn who_asks_again_with_the_same_task_has_the_same_place(gate: &dyn CouponGate) {
    open(gate, 2).await;
    admit_users(gate, 2).await;
    for now in [at(1), at(2), at(500), NOW.plus(OFFERED_FOR), NOW.plus(OFFERED_FOR * 2)] {
        assert_eq!(admit(gate, request(1, 1, now)).await, admitted(1), "sold out, within its window, and after the end");
    }
    assert_eq!(census(gate).await, (0, 2));
}

pub(crate) async fn a_user_is_not_admitted_again_within_the_window(gate: &dyn CouponGate) {
    open(gate, 100).await;
    assert_eq!(admit(gate, request(1, 1, NOW)).await, admitted(1));
    assert_eq!(admit(gate, request(2, 1, NOW)).await, too_many(WINDOW));
    assert_eq!(admit(gate, request(2, 1, NOW.plus(WINDOW / 3))).await, too_many(WINDOW / 3 * 2));
    let last = NOW.plus(WINDOW).minus(MILLI);
    assert_eq!(admit(gate, request(2, 1, last)).await, too_many(MILLI), "asking does not prolong it");
    assert_eq!(admit(gate, request(2, 1, NOW.plus(WINDOW))).await, DUPLICATED);
    assert_eq!(admit(gate, request(3, 2, NOW)).await, admitted(2), "the window of one user is no other's");
    assert_eq!(census(gate).await, (0, 2));
}

pub(crate) async fn only_an_admission_opens_the_window(gate: &dyn CouponGate) {
    let opens_later = Coupon { opens_at: Some(at(10)), ..coupon(1, 1) };
    open_with(gate, &opens_later, 1, &[]).await;
    assert_eq!(admit(gate, request(1, 1, at(9))).await, INACTIVE);
    assert_eq!(admit(gate, request(2, 1, at(10))).await, admitted(1));
    for task in 3..6 {
        assert_eq!(admit(gate, request(task, 2, at(10))).await, OUT_OF_STOCK);
    }
    for task in 6..9 {
        assert_eq!(admit(gate, request(task, 1, at(10).plus(WINDOW))).await, DUPLICATED);
    }
}

pub(crate) async fn a_window_of_zero_is_none(gate: &dyn CouponGate) {
    open(gate, 100).await;
    let at_once = |task| GateRequest { window: Duration::ZERO, ..request(task, 1, NOW) };
    assert_eq!(admit(gate, at_once(1)).await, admitted(1));
    assert_eq!(admit(gate, at_once(2)).await, DUPLICATED);
    assert_eq!(admit(gate, at_once(1)).await, admitted(1));
}

pub(crate) async fn every_coupon_has_windows_and_places_of_its_own(gate: &dyn CouponGate) {
    open(gate, 2).await;
    open_with(gate, &coupon(2, 2), 1, &[]).await;
    let of_second = |task, user| GateRequest { coupon_id: id(2), ..request(task, user, NOW) };
    assert_eq!(admit(gate, request(1, 1, NOW)).await, admitted(1));
    assert_eq!(admit(gate, of_second(2, 1)).await, admitted(1));
    assert_eq!(admit(gate, of_second(3, 2)).await, admitted(2));
    assert_eq!(admit(gate, of_second(4, 3)).await, OUT_OF_STOCK);
    assert_eq!(admit(gate, request(5, 3, NOW)).await, admitted(2));
}

pub(crate) async fn a_coupon_opens_and_expires_to_the_millisecond(gate: &dyn CouponGate) {
    let (opens_at, expires_at) = (at(10), at(20));
    open_with(gate, &Coupon { opens_at: Some(opens_at), expires_at, ..coupon(1, 100) }, 1, &[]).await;
    assert_eq!(admit(gate, request(1, 1, opens_at.minus(MILLI))).await, INACTIVE);
    assert_eq!(admit(gate, request(2, 1, opens_at)).await, admitted(1));
    assert_eq!(admit(gate, request(3, 2, expires_at.minus(MILLI))).await, admitted(2));
    assert_eq!(admit(gate, request(4, 3, expires_at)).await, EXPIRED);
}

pub(crate) async fn the_window_is_checked_before_all_the_rest(gate: &dyn CouponGate) {
    open(gate, 1).await;
    let last = NOW.plus(OFFERED_FOR).minus(MILLI);
    assert_eq!(admit(gate, request(1, 1, last)).await, admitted(1));
    assert_eq!(admit(gate, request(2, 1, last)).await, too_many(WINDOW), "before duplicate and out of stock");
    assert_eq!(admit(gate, request(3, 1, last.plus(MILLI))).await, too_many(WINDOW.saturating_sub(MILLI)), "before expired");
    assert_eq!(admit(gate, request(4, 1, last.plus(WINDOW))).await, EXPIRED);
}

pub(crate) async fn what_is_not_open_comes_before_who_has_a_place(gate: &dyn CouponGate) {
    let later = Coupon { opens_at: Some(at(1_000)), ..coupon(1, 1) };
    let held = super::samples::stored(1, 1, PlaceState::Issued);
    open_with(gate, &later, 1, &[held]).await;
    let outside = |task, user, now| GateRequest { window: Duration::ZERO, ..request(task, user, now) };
    assert_eq!(admit(gate, outside(11, 1, at(999))).await, INACTIVE, "before duplicate");
    assert_eq!(admit(gate, outside(12, 2, at(999))).await, INACTIVE, "before out of stock");
    let end = NOW.plus(OFFERED_FOR);
    assert_eq!(admit(gate, outside(13, 1, end)).await, EXPIRED, "before duplicate");
    assert_eq!(admit(gate, outside(14, 2, end)).await, EXPIRED, "before out of stock");
}

pub(crate) async fn a_place_is_refused_as_a_duplicate_before_the_stock_is_looked_at(gate: &dyn CouponGate) {
    open(gate, 1).await;
    assert_eq!(admit(gate, request(1, 1, NOW)).await, admitted(1));
    assert_eq!(admit(gate, request(2, 1, NOW.plus(WINDOW))).await, DUPLICATED);
    assert_eq!(admit(gate, request(3, 2, NOW.plus(WINDOW))).await, OUT_OF_STOCK);
}

pub(crate) async fn a_coupon_without_stock_admits_nobody(gate: &dyn CouponGate) {
    open(gate, 0).await;
    assert_eq!(admit(gate, request(1, 1, NOW)).await, OUT_OF_STOCK);
    assert_eq!(census(gate).await, (0, 0));
}

pub(crate) async fn the_last_places_go_to_as_many_of_many_at_once(gate: &dyn CouponGate) {
    open(gate, 10).await;
    let verdicts = join_all((1..=200).map(|user| admit(gate, request(user, user, NOW)))).await;
    let (given, refused): (Vec<_>, Vec<_>) = verdicts.into_iter().partition(|verdict| matches!(verdict, GateVerdict::Admitted(_)));
    let numbers = given.iter().filter_map(|verdict| if let GateVerdict::Admitted(position) = verdict { Some(*position) } else { None });
    assert_eq!(numbers.collect::<BTreeSet<_>>(), (1..=10).map(place).collect());
    assert_eq!(given.len(), 10);
    assert!(refused.iter().all(|verdict| *verdict == OUT_OF_STOCK));
    assert_eq!(census(gate).await, (0, 10));
}

pub(crate) async fn one_user_gets_one_place_however_often_it_asks_at_once(gate: &dyn CouponGate) {
    open(gate, 10).await;
    let verdicts = join_all((1..=50).map(|task| admit(gate, request(task, 1, NOW)))).await;
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == admitted(1)).count(), 1);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == too_many(WINDOW)).count(), 49);
    let again = join_all((0..50).map(|_| admit(gate, request(100, 2, NOW)))).await;
    assert!(again.iter().all(|verdict| *verdict == admitted(2)), "one request has one place: {again:?}");
    assert_eq!(census(gate).await, (0, 2));
}

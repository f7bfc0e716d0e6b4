use super::samples::{
    DUPLICATED, NOW, OUT_OF_STOCK, WINDOW, admit, admit_users, admitted, at, census, coupon, failed, id, issued, open, open_with, pending,
    place, request, settle, stored, too_many,
};
use crate::coupon::{CouponGate, GateRequest, GateVerdict, PendingPlace, PlaceState, Settlement};

pub(crate) async fn an_issued_place_stays_given(gate: &dyn CouponGate) {
    open(gate, 2).await;
    admit_users(gate, 2).await;
    settle(gate, &[issued(1, 1, 1)]).await;
    assert_eq!(census(gate).await, (1, 1));
    assert_eq!(pending(gate).await, [2]);
    settle(gate, &[issued(1, 1, 1)]).await;
    assert_eq!(census(gate).await, (1, 1), "settling again changes nothing");
    assert_eq!(admit(gate, request(1, 1, at(500))).await, admitted(1), "its request is still known");
    assert_eq!(admit(gate, request(10, 1, at(500))).await, DUPLICATED);
    assert_eq!(admit(gate, request(11, 3, at(500))).await, OUT_OF_STOCK);
}

pub(crate) async fn a_place_that_was_not_issued_is_free_again_once(gate: &dyn CouponGate) {
    open(gate, 3).await;
    admit_users(gate, 3).await;
    settle(gate, &[failed(2, 2), failed(2, 2)]).await;
    settle(gate, &[failed(2, 2)]).await;
    assert_eq!(census(gate).await, (0, 2));
    assert_eq!(pending(gate).await, [1, 3]);
    assert!(matches!(admit(gate, request(4, 4, at(5))).await, GateVerdict::Admitted(_)));
    assert_eq!(admit(gate, request(5, 5, at(5))).await, OUT_OF_STOCK, "one place was free, not three");
    settle(gate, &[failed(2, 2)]).await;
    assert_eq!(admit(gate, request(6, 6, at(5))).await, OUT_OF_STOCK, "also when it is settled later again");
}

pub(crate) async fn a_number_is_not_given_again(gate: &dyn CouponGate) {
    open(gate, 3).await;
    admit_users(gate, 3).await;
    settle(gate, &[failed(3, 3), failed(1, 1)]).await;
    assert_eq!(admit(gate, request(4, 4, at(5))).await, admitted(4));
    assert_eq!(admit(gate, request(5, 5, at(5))).await, admitted(5));
    assert_eq!(admit(gate, request(6, 6, at(5))).await, OUT_OF_STOCK);
}

pub(crate) async fn the_window_stays_when_a_place_goes_back(gate: &dyn CouponGate) {
    open(gate, 3).await;
    admit_users(gate, 1).await;
    settle(gate, &[failed(1, 1)]).await;
    assert_eq!(admit(gate, request(2, 1, at(61))).await, too_many(WINDOW.saturating_sub(at(60).since(NOW))), "since it was admitted");
    let after = at(1).plus(WINDOW);
    assert_eq!(admit(gate, request(3, 1, after)).await, admitted(2));
    assert_eq!(admit(gate, request(4, 1, after)).await, too_many(WINDOW), "a new window has begun");
    settle(gate, &[failed(1, 1)]).await;
    assert_eq!(pending(gate).await, [3], "the place is that of another request now");
}

pub(crate) async fn an_issued_place_the_gate_did_not_know_of_counts(gate: &dyn CouponGate) {
    open(gate, 2).await;
    settle(gate, &[issued(1, 1, 7)]).await;
    settle(gate, &[issued(1, 1, 7)]).await;
    assert_eq!(census(gate).await, (1, 0));
    let later = at(60).plus(WINDOW);
    assert_eq!(admit(gate, request(1, 1, later)).await, admitted(7), "its request is known");
    assert_eq!(admit(gate, request(2, 1, later)).await, DUPLICATED);
    assert_eq!(admit(gate, request(3, 2, later)).await, admitted(8), "numbers go on behind it");
    assert_eq!(admit(gate, request(4, 3, later)).await, OUT_OF_STOCK);
}

pub(crate) async fn a_place_that_was_issued_under_another_number_has_that_number(gate: &dyn CouponGate) {
    open(gate, 10).await;
    admit_users(gate, 2).await;
    settle(gate, &[issued(1, 1, 5)]).await;
    assert_eq!(census(gate).await, (1, 1));
    assert_eq!(pending(gate).await, [2]);
    assert_eq!(admit(gate, request(1, 1, at(5))).await, admitted(5));
    assert_eq!(admit(gate, request(3, 3, at(5))).await, admitted(6));
    assert_eq!(admit(gate, request(4, 1, at(61))).await, too_many(WINDOW.saturating_sub(at(60).since(NOW))), "the window is as it was");
}

pub(crate) async fn a_settlement_of_another_request_of_the_user_takes_no_place_away(gate: &dyn CouponGate) {
    open(gate, 10).await;
    admit_users(gate, 1).await;
    settle(gate, &[failed(99, 1)]).await;
    assert_eq!(pending(gate).await, [1]);
    settle(gate, &[failed(98, 50)]).await;
    assert_eq!(census(gate).await, (0, 1), "nor does one of somebody the gate never saw");
    settle(gate, &[issued(97, 1, 1)]).await;
    assert_eq!(census(gate).await, (1, 0), "a user has one place, and the store knows of which request");
    settle(gate, &[failed(1, 1)]).await;
    assert_eq!(census(gate).await, (1, 0));
}

pub(crate) async fn settling_for_a_coupon_nobody_told_of_changes_nothing(gate: &dyn CouponGate) {
    settle(gate, &[issued(1, 1, 1), failed(2, 2)]).await;
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
    assert_eq!(admit(gate, request(1, 1, NOW)).await, GateVerdict::Closed);
    open(gate, 10).await;
    assert_eq!(census(gate).await, (0, 0));
}

pub(crate) async fn what_is_issued_while_a_coupon_is_closed_counts_once_it_is_open(gate: &dyn CouponGate) {
    open(gate, 10).await;
    admit_users(gate, 3).await;
    gate.close(id(1), 2).await.unwrap();
    settle(gate, &[failed(1, 1), issued(2, 2, 2), issued(4, 4, 4)]).await;
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
    assert!(gate.load(id(1), 2, &[stored(3, 3, PlaceState::Pending)]).await.unwrap());
    settle(gate, &[issued(3, 3, 3)]).await;
    assert!(gate.open(&coupon(1, 10), 2).await.unwrap());
    assert_eq!(census(gate).await, (3, 1));
    assert_eq!(pending(gate).await, [1], "that it was not issued is settled again");
    assert_eq!(admit(gate, request(5, 5, at(5))).await, admitted(5));
    settle(gate, &[failed(1, 1)]).await;
    assert_eq!(pending(gate).await, [5]);
}

pub(crate) async fn many_places_are_settled_at_once(gate: &dyn CouponGate) {
    const USERS: i64 = 500;
    open(gate, 500).await;
    open_with(gate, &coupon(2, 500), 1, &[]).await;
    admit_users(gate, USERS).await;
    let of_first =
        (1..=USERS).map(|user| if user % 2 == 0 { failed(user, user) } else { issued(user, user, u32::try_from(user).unwrap()) });
    let of_second = Settlement { coupon_id: id(2), ..issued(1_000, 1, 3) };
    settle(gate, &of_first.chain([of_second]).collect::<Vec<_>>()).await;
    assert_eq!(census(gate).await, (250, 0));
    assert_eq!(gate.census(id(2)).await.unwrap().map(|census| census.issued), Some(1));
    settle(gate, &[]).await;
}

pub(crate) async fn pending_places_are_listed_oldest_first_of_every_coupon(gate: &dyn CouponGate) {
    open(gate, 10).await;
    open_with(gate, &coupon(2, 10), 1, &[]).await;
    let of_second = |task, user, now| GateRequest { coupon_id: id(2), ..request(task, user, now) };
    // Tasks and numbers of places are in another order than the times.
    admit(gate, request(40, 4, at(3))).await;
    admit(gate, of_second(30, 3, at(2))).await;
    admit(gate, request(20, 2, at(1))).await;
    admit(gate, of_second(10, 1, at(4))).await;
    assert_eq!(pending(gate).await, [20, 30, 40, 10]);
    let tasks = async |before, limit| {
        let places = gate.pending(before, limit).await.unwrap();
        places.into_iter().map(|place| place.task_id.get()).collect::<Vec<_>>()
    };
    assert_eq!(tasks(at(10), 3).await, [20, 30, 40]);
    assert_eq!(tasks(at(10), 0).await, [0; 0]);
    assert_eq!(tasks(at(3), 10).await, [20, 30], "given before, and not at, the time");
    assert_eq!(tasks(at(1), 10).await, [0; 0]);
    let first = PendingPlace { coupon_id: id(1), task_id: id(20), user_id: id(2), position: place(2), at: at(1) };
    assert_eq!(gate.pending(at(10), 1).await.unwrap(), [first]);
    settle(gate, &[issued(20, 2, 2), failed(40, 4)]).await;
    assert_eq!(pending(gate).await, [30, 10]);
}

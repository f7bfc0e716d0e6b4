use super::samples::{
    DUPLICATED, NOW, OFFERED_FOR, OUT_OF_STOCK, WINDOW, admit, admit_users, admitted, at, census, coupon, failed, id, issued, open,
    open_with, pending, request, settle, stored,
};
use crate::coupon::{CouponGate, GatePlace, GateVerdict, PlaceState};
use futures_util::future::join_all;

pub(crate) async fn a_closed_coupon_admits_nobody_and_has_no_census(gate: &dyn CouponGate) {
    open(gate, 10).await;
    admit_users(gate, 1).await;
    gate.close(id(1), 2).await.unwrap();
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
    assert_eq!(admit(gate, request(2, 2, NOW)).await, GateVerdict::Closed);
    assert_eq!(admit(gate, request(1, 1, NOW)).await, GateVerdict::Closed, "also of a request it knows");
    assert!(gate.load(id(1), 2, &[stored(3, 3, PlaceState::Issued)]).await.unwrap());
    assert_eq!(admit(gate, request(2, 2, NOW)).await, GateVerdict::Closed, "until all is told");
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
}

pub(crate) async fn what_is_pending_outlives_a_rebuild(gate: &dyn CouponGate) {
    open(gate, 3).await;
    admit_users(gate, 3).await;
    settle(gate, &[issued(2, 2, 2)]).await;
    gate.close(id(1), 2).await.unwrap();
    assert_eq!(pending(gate).await, [1, 3], "also while it is closed");
    gate.close(id(1), 3).await.unwrap();
    assert!(gate.open(&coupon(1, 3), 3).await.unwrap());
    assert_eq!(census(gate).await, (0, 2), "what was issued is for the store to tell");
    assert_eq!(pending(gate).await, [1, 3]);
    assert_eq!(admit(gate, request(3, 3, at(5))).await, admitted(3));
    settle(gate, &[failed(3, 3)]).await;
    assert_eq!(pending(gate).await, [1]);
}

pub(crate) async fn loaded_places_count(gate: &dyn CouponGate) {
    let first = [stored(1, 1, PlaceState::Issued), stored(2, 2, PlaceState::Pending)];
    gate.close(id(1), 1).await.unwrap();
    assert!(gate.load(id(1), 1, &first).await.unwrap());
    assert!(gate.load(id(1), 1, &[]).await.unwrap());
    assert!(gate.load(id(1), 1, &[stored(3, 9, PlaceState::Issued)]).await.unwrap());
    assert!(gate.open(&coupon(1, 4), 1).await.unwrap());
    assert_eq!(census(gate).await, (2, 1));
    assert_eq!(pending(gate).await, [2]);
    let later = NOW.plus(WINDOW);
    for user in 1..=3 {
        assert_eq!(admit(gate, request(100 + user, user, later)).await, DUPLICATED);
    }
    assert_eq!(admit(gate, request(2, 2, later)).await, admitted(2), "its request is known");
    assert_eq!(admit(gate, request(4, 4, later)).await, admitted(10), "numbers go on behind the last one");
    assert_eq!(admit(gate, request(5, 5, later)).await, OUT_OF_STOCK);
    settle(gate, &[issued(2, 2, 2)]).await;
    assert_eq!(census(gate).await, (3, 1));
}

pub(crate) async fn a_loaded_place_wins_over_one_that_was_kept(gate: &dyn CouponGate) {
    open(gate, 10).await;
    admit_users(gate, 3).await;
    let under_another_number = stored(2, 7, PlaceState::Issued);
    open_with(gate, &coupon(1, 10), 2, &[stored(1, 1, PlaceState::Issued), under_another_number]).await;
    assert_eq!(census(gate).await, (2, 1));
    assert_eq!(pending(gate).await, [3]);
    assert_eq!(admit(gate, request(2, 2, at(5))).await, admitted(7));
    assert_eq!(admit(gate, request(3, 3, at(5))).await, admitted(3));
    assert_eq!(admit(gate, request(4, 4, at(5))).await, admitted(8));
}

pub(crate) async fn of_two_loaded_places_of_a_user_the_issued_one_counts_else_the_first(gate: &dyn CouponGate) {
    use PlaceState::{Issued, Pending};
    gate.close(id(1), 1).await.unwrap();
    for places in [[stored(1, 1, Pending), stored(1, 4, Issued)], [stored(2, 2, Issued), stored(2, 5, Pending)]] {
        assert!(gate.load(id(1), 1, &places[..1]).await.unwrap());
        assert!(gate.load(id(1), 1, &places[1..]).await.unwrap());
    }
    assert!(gate.load(id(1), 1, &[stored(3, 3, Pending), stored(3, 6, Pending)]).await.unwrap());
    assert!(gate.open(&coupon(1, 10), 1).await.unwrap());
    assert_eq!(census(gate).await, (2, 1));
    for (user, place) in [(1, 4), (2, 2), (3, 3)] {
        assert_eq!(admit(gate, request(user, user, at(5))).await, admitted(place));
    }
    assert_eq!(admit(gate, request(4, 4, at(5))).await, admitted(7));
}

pub(crate) async fn a_coupon_is_told_by_whoever_closed_it_last_alone(gate: &dyn CouponGate) {
    let place = [stored(1, 1, PlaceState::Issued)];
    gate.close(id(1), 5).await.unwrap();
    gate.close(id(1), 7).await.unwrap();
    for fence in [4, 5, 6, 8] {
        assert!(!gate.load(id(1), fence, &place).await.unwrap(), "loaded with {fence}");
        assert!(!gate.open(&coupon(1, 10), fence).await.unwrap(), "opened with {fence}");
    }
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
    gate.close(id(1), 6).await.unwrap();
    assert!(gate.load(id(1), 7, &[stored(2, 2, PlaceState::Issued)]).await.unwrap(), "who is late closes nothing");
    assert!(gate.open(&coupon(1, 10), 7).await.unwrap());
    gate.close(id(1), 6).await.unwrap();
    assert_eq!(census(gate).await, (1, 0), "who is late does not close what is open");
    assert!(!gate.load(id(1), 6, &place).await.unwrap());
    assert!(!gate.open(&coupon(1, 20), 6).await.unwrap());
    assert_eq!(census(gate).await, (1, 0));
}

pub(crate) async fn a_call_that_was_thought_lost_and_comes_again_changes_nothing(gate: &dyn CouponGate) {
    let places = [stored(1, 1, PlaceState::Issued), stored(2, 2, PlaceState::Pending)];
    gate.close(id(1), 5).await.unwrap();
    assert!(gate.load(id(1), 5, &places).await.unwrap());
    gate.close(id(1), 5).await.unwrap();
    assert!(gate.load(id(1), 5, &places).await.unwrap());
    assert!(gate.open(&coupon(1, 10), 5).await.unwrap());
    assert_eq!(admit(gate, request(3, 3, NOW)).await, admitted(3));
    gate.close(id(1), 5).await.unwrap();
    assert!(!gate.load(id(1), 5, &[stored(9, 9, PlaceState::Issued)]).await.unwrap(), "it is open");
    assert!(gate.open(&coupon(1, 10), 5).await.unwrap());
    assert_eq!(census(gate).await, (1, 2));
    assert_eq!(pending(gate).await, [2, 3]);
}

pub(crate) async fn many_places_are_loaded_and_kept_at_once(gate: &dyn CouponGate) {
    const USERS: i64 = 1_200;
    open(gate, 3_000).await;
    let verdicts = join_all((1..=USERS).map(|user| admit(gate, request(user, user, NOW)))).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, GateVerdict::Admitted(_))));
    let held = |user| stored(USERS + user, u32::try_from(USERS + user).unwrap(), PlaceState::Issued);
    open_with(gate, &coupon(1, 3_000), 2, &(1..=USERS).map(held).collect::<Vec<_>>()).await;
    assert_eq!(census(gate).await, (1_200, 1_200));
    assert_eq!(pending(gate).await.len(), 1_000, "as many as were asked for");
    assert_eq!(admit(gate, request(9_999, 9_999, NOW)).await, admitted(2_401));
}

pub(crate) async fn a_coupon_that_was_never_closed_cannot_be_opened(gate: &dyn CouponGate) {
    assert!(!gate.load(id(1), 1, &[stored(1, 1, PlaceState::Issued)]).await.unwrap());
    assert!(!gate.open(&coupon(1, 10), 1).await.unwrap());
    assert_eq!(gate.census(id(1)).await.unwrap(), None);
    assert_eq!(admit(gate, request(1, 1, NOW)).await, GateVerdict::Closed);
}

pub(crate) async fn numbers_go_on_after_a_rebuild(gate: &dyn CouponGate) {
    open(gate, 5).await;
    admit_users(gate, 5).await;
    settle(gate, &[failed(4, 4), failed(5, 5)]).await;
    open_with(gate, &coupon(1, 5), 2, &[stored(1, 1, PlaceState::Issued)]).await;
    assert_eq!(admit(gate, request(6, 6, at(9))).await, admitted(6), "also behind those that went back");
}

pub(crate) async fn a_rebuilt_coupon_follows_what_it_was_opened_with(gate: &dyn CouponGate) {
    open(gate, 1).await;
    admit_users(gate, 1).await;
    assert_eq!(admit(gate, request(2, 2, at(5))).await, OUT_OF_STOCK);
    open_with(gate, &coupon(1, 2), 2, &[]).await;
    assert_eq!(admit(gate, request(3, 2, at(5))).await, admitted(2));
    assert_eq!(admit(gate, request(4, 3, at(5))).await, OUT_OF_STOCK);
}

pub(crate) async fn a_coupon_can_be_rebuilt_while_many_ask(gate: &dyn CouponGate) {
    const USERS: i64 = 100;
    open(gate, 30).await;
    let ask = async |user: i64| loop {
        match admit(gate, request(user, user, NOW)).await {
            GateVerdict::Closed => tokio::task::yield_now().await,
            verdict => break verdict,
        }
    };
    let rebuild = async {
        for fence in 2..20 {
            gate.close(id(1), fence).await.unwrap();
            tokio::task::yield_now().await;
            assert!(gate.open(&coupon(1, 30), fence).await.unwrap());
            tokio::task::yield_now().await;
        }
    };
    let (verdicts, ()) = futures_util::join!(join_all((1..=USERS).map(ask)), rebuild);
    let given = verdicts.iter().filter(|verdict| matches!(verdict, GateVerdict::Admitted(_))).count();
    assert_eq!(given, 30);
    assert_eq!(census(gate).await, (0, 30));
    assert_eq!(pending(gate).await.len(), 30);
}

pub(crate) async fn what_is_not_over_is_not_retired(gate: &dyn CouponGate) {
    open(gate, 10).await;
    admit_users(gate, 1).await;
    let held = GatePlace { state: PlaceState::Issued, ..stored(2, 2, PlaceState::Pending) };
    open_with(gate, &coupon(2, 10), 1, &[held]).await;
    gate.retire(NOW.plus(OFFERED_FOR)).await.unwrap();
    assert_eq!(gate.census(id(2)).await.unwrap().map(|census| census.issued), Some(1), "it expired at, and not before, the time");
    gate.retire(NOW.plus(OFFERED_FOR * 2)).await.unwrap();
    assert_eq!(census(gate).await, (0, 1), "something is pending of it");
    assert_eq!(pending(gate).await, [1]);
}

use super::turnstile::Turnstile;
use super::{CouponGate, GatePlace, GateRefusal, GateRequest, GateVerdict, InProcessGate, PlaceState, Settlement};
use crate::coupon::{Coupon, CouponName, Discount, Position};
use crate::{CouponId, TaskId, Timestamp, UserId};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
const WINDOW: Duration = Duration::from_mins(3);
const STOCK: u32 = 3;

fn coupon(expires_at: Timestamp) -> Coupon {
    Coupon {
        id: CouponId::new(1).unwrap(),
        name: CouponName::parse("Welcome").unwrap(),
        discount: Discount::Percent(10),
        initial_stock: STOCK,
        issued: 0,
        opens_at: None,
        expires_at,
        created_at: START,
    }
}

fn user(number: i64) -> UserId {
    UserId::new(number + 1).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    /// A user asks.
    Ask(i64),
    /// The coupon of one of the pending places is issued.
    Issue(usize),
    /// That of another is not.
    Fail(usize),
    /// Time passes.
    Wait(Duration),
    /// The gate is rebuilt from what was issued.
    Rebuild,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..6_i64).prop_map(Step::Ask),
        2 => any::<usize>().prop_map(Step::Issue),
        2 => any::<usize>().prop_map(Step::Fail),
        2 => (0..200_u64).prop_map(|seconds| Step::Wait(Duration::from_secs(seconds))),
        1 => Just(Step::Rebuild),
    ];
    vec(step, 1..80)
}

/// A turnstile beside a list of what it has to know.
struct Model {
    turnstile: Turnstile,
    places: HashMap<UserId, GatePlace>,
    admitted_at: HashMap<UserId, Timestamp>,
    last: u32,
    tasks: i64,
    fence: u64,
    now: Timestamp,
}

impl Model {
    fn new() -> Self {
        let (places, admitted_at) = (HashMap::new(), HashMap::new());
        let mut model = Self { turnstile: Turnstile::default(), places, admitted_at, last: 0, tasks: 0, fence: 0, now: START };
        model.rebuild();
        model
    }

    fn expected(&self, user: UserId) -> GateVerdict {
        let since = self.admitted_at.get(&user).map(|at| self.now.since(*at));
        match since.map(|since| WINDOW.saturating_sub(since)).filter(|left| !left.is_zero()) {
            Some(retry_after) => GateVerdict::Refused(GateRefusal::TooManyRequests { retry_after }),
            None if self.places.contains_key(&user) => GateVerdict::Refused(GateRefusal::Duplicated),
            None if self.places.len() == STOCK as usize => GateVerdict::Refused(GateRefusal::OutOfStock),
            None => GateVerdict::Admitted(Position::new(self.last + 1).unwrap()),
        }
    }

    fn ask(&mut self, user_id: UserId) {
        self.tasks += 1;
        let task_id = TaskId::new(self.tasks).unwrap();
        let request = GateRequest { task_id, coupon_id: CouponId::new(1).unwrap(), user_id, now: self.now, window: WINDOW };
        let expected = self.expected(user_id);
        assert_eq!(self.turnstile.admit(&request), expected);
        if let GateVerdict::Admitted(position) = expected {
            assert_eq!(self.turnstile.admit(&request), expected, "the same request again");
            self.last = position.get();
            self.admitted_at.insert(user_id, self.now);
            self.places.insert(user_id, GatePlace { task_id, user_id, position, at: self.now, state: PlaceState::Pending });
        }
    }

    fn settle(&mut self, nth: usize, is_issued: bool) {
        let mut pending: Vec<_> = self.places.values().filter(|place| place.state == PlaceState::Pending).copied().collect();
        pending.sort_by_key(|place| place.position);
        let Some(&GatePlace { task_id, user_id, position, .. }) = pending.get(nth % pending.len().max(1)) else { return };
        let issued = is_issued.then_some(position);
        let settlement = Settlement { coupon_id: CouponId::new(1).unwrap(), task_id, user_id, issued, at: self.now };
        self.turnstile.settle(&settlement);
        self.turnstile.settle(&settlement);
        match self.places.get_mut(&user_id) {
            Some(place) if is_issued => place.state = PlaceState::Issued,
            _ => drop(self.places.remove(&user_id)),
        }
    }

    fn rebuild(&mut self) {
        self.fence += 1;
        self.turnstile.close(self.fence);
        let issued: Vec<_> = self.places.values().filter(|place| place.state == PlaceState::Issued).copied().collect();
        assert!(self.turnstile.load(self.fence, &issued));
        assert!(self.turnstile.open(&coupon(Timestamp::MAX), self.fence));
    }

    fn check(&self) {
        let census = self.turnstile.census().expect("it is open");
        assert_eq!(census.issued + census.pending, self.places.len() as u64);
        let listed = self.turnstile.pending(CouponId::new(1).unwrap(), Timestamp::MAX);
        let mut listed: Vec<_> = listed.map(|place| (place.position, place.user_id, place.task_id)).collect();
        listed.sort_unstable();
        let pending = self.places.values().filter(|place| place.state == PlaceState::Pending);
        let mut pending: Vec<_> = pending.map(|place| (place.position, place.user_id, place.task_id)).collect();
        pending.sort_unstable();
        assert_eq!(listed, pending);
    }
}

proptest! {
    #[test]
    fn a_turnstile_knows_exactly_who_has_a_place_whatever_happens(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Ask(number) => model.ask(user(number)),
                Step::Issue(nth) => model.settle(nth, true),
                Step::Fail(nth) => model.settle(nth, false),
                Step::Wait(time) => model.now = model.now.plus(time),
                Step::Rebuild => model.rebuild(),
            }
            model.check();
        }
    }
}

#[tokio::test]
async fn a_coupon_that_is_over_is_forgotten_once_nothing_is_pending() {
    let gate = InProcessGate::new();
    let coupon = coupon(START.plus(WINDOW));
    gate.close(coupon.id, 1).await.unwrap();
    gate.open(&coupon, 1).await.unwrap();
    let (task_id, user_id) = (TaskId::new(1).unwrap(), user(1));
    gate.admit(&GateRequest { task_id, coupon_id: coupon.id, user_id, now: START, window: WINDOW }).await.unwrap();
    gate.retire(START.plus(WINDOW * 2)).await.unwrap();
    assert!(gate.census(coupon.id).await.unwrap().is_some(), "a request is not decided");
    gate.settle(&[Settlement { coupon_id: coupon.id, task_id, user_id, issued: None, at: START }]).await.unwrap();
    gate.retire(coupon.expires_at).await.unwrap();
    assert!(gate.census(coupon.id).await.unwrap().is_some(), "it expired at, and not before, the time");
    gate.retire(START.plus(WINDOW * 2)).await.unwrap();
    assert_eq!(gate.census(coupon.id).await.unwrap(), None);
}

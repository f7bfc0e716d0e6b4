use super::coupons_model::{Model, Offer, Outcome, Request, Verdict, WINDOW};
use crate::shop::Shop;
use commerce_core::coupon::{
    AdmittedRequest, CouponName, Discount, GateRequest, GateVerdict, InProcessGate, NewCoupon, RequestCoupon, RequestOutcome,
};
use commerce_core::idempotency::KeyedCommand;
use commerce_core::messaging::Group;
use commerce_core::testing::Fault;
use commerce_core::{Clock, Commerce, CouponId, Sequence, Settings, TaskId, Timestamp, UserId};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Users that exist; the one after them does not.
const USERS: usize = 3;
/// How many there are of each coupon, when it opens and when it expires, in seconds.
const OFFERS: [(i64, u64, u64); 3] = [(2, 0, 7_200), (1, 120, 7_200), (9, 0, 600)];
const SWEEP_MAX: u32 = 1_000;

/// Something that happens between the first request for a coupon and its outcome.
#[derive(Debug, Clone)]
enum Action {
    Admit {
        user: usize,
        coupon: usize,
    },
    /// Somebody who was admitted asks once more, under the same task.
    AdmitAgain {
        admitted: usize,
    },
    HandIn {
        admitted: usize,
    },
    /// Who was admitted crashes before it hands the request in.
    Lose {
        admitted: usize,
    },
    Issue,
    Settle,
    Sweep,
    Rebuild {
        coupon: usize,
    },
    Wipe,
    /// The process ends and begins again: requests in its hands are lost, and so is its gate.
    Restart,
    Repeat,
    Advance {
        millis: u64,
    },
    Fault(Fault),
}

fn action() -> impl Strategy<Value = Action> {
    let (user, coupon, admitted) = (0..=USERS, 0..OFFERS.len(), 0..4_usize);
    prop_oneof![
        10 => (user, coupon.clone()).prop_map(|(user, coupon)| Action::Admit { user, coupon }),
        1 => admitted.clone().prop_map(|admitted| Action::AdmitAgain { admitted }),
        7 => admitted.clone().prop_map(|admitted| Action::HandIn { admitted }),
        2 => admitted.prop_map(|admitted| Action::Lose { admitted }),
        5 => Just(Action::Issue),
        4 => Just(Action::Settle),
        2 => Just(Action::Sweep),
        1 => coupon.prop_map(|coupon| Action::Rebuild { coupon }),
        1 => Just(Action::Wipe),
        1 => Just(Action::Restart),
        1 => Just(Action::Repeat),
        3 => prop_oneof![Just(1), Just(7_000), Just(31_000), Just(121_000)].prop_map(|millis| Action::Advance { millis }),
        1 => proptest::sample::select(Fault::ALL.to_vec()).prop_map(Action::Fault),
    ]
}

/// The shop, and the ids that stand for the indexes of actions.
struct World {
    shop: Shop,
    /// The process that serves now.
    commerce: Commerce,
    gate: InProcessGate,
    users: Vec<UserId>,
    coupons: Vec<CouponId>,
    /// Requests that were admitted and not handed in yet.
    admitted: Vec<AdmittedRequest>,
    begun: Instant,
}

impl World {
    async fn create(model: &mut Model) -> Self {
        let gate = InProcessGate::new();
        let settings = Settings { coupon_window: WINDOW, ..Settings::default() };
        let shop = Shop::with(settings, |parts| parts.gate = Arc::new(gate.clone()));
        let (now, mut users, mut coupons) = (shop.clock.now(), Vec::new(), Vec::new());
        for _ in 0..USERS {
            users.push(shop.user(0).await);
        }
        model.users.extend(&users);
        users.push(UserId::new(4_711).unwrap());
        for (stock, opens, expires) in OFFERS {
            let (opens_at, expires_at) = (now.plus(Duration::from_secs(opens)), now.plus(Duration::from_secs(expires)));
            let (name, discount) = (CouponName::parse("Welcome").unwrap(), Discount::Percent(10));
            let new = NewCoupon { name, discount, initial_stock: stock, opens_at: Some(opens_at), expires_at };
            let coupon = shop.commerce.create_coupon(new).await.unwrap();
            model.offer(coupon.id, Offer { stock: coupon.initial_stock as usize, opens_at, expires_at });
            coupons.push(coupon.id);
        }
        let commerce = shop.commerce.clone();
        Self { shop, commerce, gate, users, coupons, admitted: Vec::new(), begun: Instant::now() }
    }

    fn now(&self) -> Timestamp {
        self.shop.clock.now()
    }

    async fn admit(&mut self, model: &mut Model, task_id: TaskId, coupon_id: CouponId, user_id: UserId) {
        let now = self.now();
        let request = GateRequest { task_id, coupon_id, user_id, now, window: WINDOW };
        let verdict = self.commerce.parts().gate.admit(&request).await.unwrap();
        let said = match verdict {
            GateVerdict::Admitted(position) => Verdict::Admitted(position.get()),
            GateVerdict::Refused(refusal) => Verdict::Refused(refusal),
            GateVerdict::Closed => Verdict::Closed,
        };
        assert_eq!(said, model.admit(task_id, coupon_id, user_id, now), "user {user_id} at the gate of coupon {coupon_id}");
        if let GateVerdict::Admitted(position) = verdict
            && self.admitted.iter().all(|admitted| admitted.task_id != task_id)
        {
            let user_coupon_id = self.commerce.next_id(Sequence::UserCoupon).await.unwrap();
            self.admitted.push(AdmittedRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at: now });
        }
    }

    async fn hand_in(&self, model: &mut Model, request: AdmittedRequest) {
        let command = KeyedCommand::without_key(RequestCoupon { admission: Ok(request), trace_parent: None });
        self.commerce.desks().request_coupon.submit(command).await.unwrap();
        let AdmittedRequest { task_id, coupon_id, user_id, position, admitted_at, .. } = request;
        model.hand_in(task_id, coupon_id, user_id, position.get(), admitted_at);
    }

    fn nth_admitted(&self, index: usize) -> Option<usize> {
        (!self.admitted.is_empty()).then(|| index % self.admitted.len())
    }

    async fn act(&mut self, model: &mut Model, action: &Action) {
        match *action {
            Action::Admit { user, coupon } => {
                let task = self.commerce.next_id(Sequence::Task).await.unwrap();
                self.admit(model, task, self.coupons[coupon], self.users[user]).await;
            }
            Action::AdmitAgain { admitted } => {
                if let Some(index) = self.nth_admitted(admitted) {
                    let AdmittedRequest { task_id, coupon_id, user_id, .. } = self.admitted[index];
                    self.admit(model, task_id, coupon_id, user_id).await;
                }
            }
            Action::HandIn { admitted } => {
                if let Some(index) = self.nth_admitted(admitted) {
                    let request = self.admitted.remove(index);
                    self.hand_in(model, request).await;
                }
            }
            Action::Lose { admitted } => {
                if let Some(index) = self.nth_admitted(admitted) {
                    self.admitted.remove(index);
                }
            }
            Action::Issue => {
                self.shop.deliver(Group::CouponIssuer).await;
                model.issue(self.now());
            }
            Action::Settle => {
                self.shop.deliver(Group::CouponGate).await;
                model.settle();
            }
            Action::Sweep => {
                let (now, running) = (self.now(), self.begun.elapsed());
                self.commerce.sweep_coupons(SWEEP_MAX).await.unwrap();
                model.sweep(now, running);
            }
            Action::Rebuild { coupon } => {
                self.commerce.gate_keeper().rebuild(self.coupons[coupon]).await.unwrap();
                model.rebuild(self.coupons[coupon]);
            }
            Action::Wipe => {
                self.gate.wipe();
                model.wipe();
            }
            Action::Restart => {
                self.admitted.clear();
                self.gate.wipe();
                self.commerce = Commerce::open(self.commerce.parts().clone(), *self.commerce.settings());
                model.wipe();
                model.restart();
            }
            Action::Repeat => {
                self.shop.carry().await;
                self.shop.repeat_history().await;
                model.repeat();
            }
            Action::Advance { millis } => {
                self.shop.clock.advance(Duration::from_millis(millis));
                tokio::time::advance(Duration::from_millis(millis)).await;
            }
            Action::Fault(fault) => self.shop.faults.script([Some(fault)]),
        }
    }

    /// Compares gates and store with the model.
    async fn compare(&self, model: &mut Model, after: &str) {
        for coupon in &self.coupons {
            let census = self.gate_census(*coupon).await;
            assert_eq!(census, model.census(*coupon), "the gate of coupon {coupon} after {after}");
            let held = self.shop.queries().issued_of(*coupon, None, 100).await.unwrap();
            let issued = self.shop.queries().coupon(*coupon).await.unwrap().unwrap().issued as usize;
            let users: BTreeSet<_> = held.iter().map(|held| held.user_id).collect();
            let places: BTreeSet<_> = held.iter().map(|held| held.position).collect();
            assert!(held.len() == issued && issued <= model.offers[coupon].stock, "coupon {coupon} is issued {issued} times");
            assert_eq!((users.len(), places.len()), (issued, issued), "coupon {coupon}: a user or a place twice after {after}");
            let tasks: BTreeSet<_> = held.iter().map(|held| held.task_id).collect();
            assert_eq!(tasks, model.held(*coupon).map(|(task, _)| task).collect(), "who holds coupon {coupon} after {after}");
        }
        let tasks: Vec<_> = model.requests.keys().copied().collect();
        let requests = self.shop.queries().coupon_requests(&tasks).await.unwrap();
        assert_eq!(requests.len(), tasks.len(), "requests after {after}");
        for (request, (task, expected)) in requests.iter().zip(&mut model.requests) {
            let outcome = match request.outcome {
                RequestOutcome::Pending => Outcome::Pending,
                RequestOutcome::Issued { .. } => Outcome::Issued,
                RequestOutcome::Failed { code, .. } => Outcome::Failed(code),
            };
            let Request { coupon, user, at, outcome: expected_outcome, .. } = *expected;
            assert_eq!(
                (request.coupon_id, request.user_id, request.admitted_at, outcome),
                (coupon, user, at, expected_outcome),
                "task {task}"
            );
            // Of places that a gate gave twice the issuer gives the later one anew: any that is free will do.
            expected.number = request.position.get();
        }
    }

    async fn gate_census(&self, coupon: CouponId) -> Option<(usize, usize)> {
        let census = self.commerce.parts().gate.census(coupon).await.unwrap()?;
        Some((usize::try_from(census.issued).unwrap(), usize::try_from(census.pending).unwrap()))
    }

    /// Lets everything come to rest: what was left behind is swept up, decided and settled.
    async fn settle(&mut self, model: &mut Model) {
        for _ in 0..2 {
            for action in [Action::Advance { millis: 31_000 }, Action::Sweep, Action::Issue, Action::Settle] {
                self.act(model, &action).await;
                self.compare(model, "everything has settled").await;
            }
        }
    }
}

async fn play(actions: &[Action], misbehaves: Option<u64>) {
    let mut model = Model::default();
    let mut world = World::create(&mut model).await;
    if let Some(seed) = misbehaves {
        world.shop.bus.misbehave(seed);
    }
    for action in actions {
        world.act(&mut model, action).await;
        world.compare(&mut model, &format!("{action:?}")).await;
    }
    world.settle(&mut model).await;
    assert!(model.requests.values().all(|request| request.outcome != Outcome::Pending), "every request is decided: {model:?}");
    for coupon in &world.coupons {
        let left = model.census(*coupon).map(|(issued, pending)| (issued == model.held(*coupon).count(), pending));
        assert!(matches!(left, None | Some((true, 0))), "the gate of coupon {coupon} agrees with the store: {left:?}");
    }
    assert_eq!(world.shop.dead_letters().await, 0, "nothing was put aside");
}

proptest! {
    #[test]
    fn any_history_of_coupons_ends_as_a_plain_model_says(actions in vec(action(), 1..60), misbehaves in proptest::option::of(any::<u64>())) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(&actions, misbehaves));
    }
}

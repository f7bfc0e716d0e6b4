//! Coupons as a few plain tables: what the gate remembers, what is stored, and what is on its way between them.

use commerce_core::coupon::GateRefusal;
use commerce_core::{CouponId, ErrorCode, TaskId, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long after an admission a user has to wait.
pub(super) const WINDOW: Duration = Duration::from_mins(2);
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(5);
/// How long a request is left alone that was asked for again: at first, and at most.
const LEFT_ALONE_MIN: Duration = Duration::from_secs(30);
const LEFT_ALONE_MAX: Duration = Duration::from_mins(10);

/// What a gate answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Admitted(u32),
    Refused(GateRefusal),
    Closed,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) stock: usize,
    pub(super) opens_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    task: TaskId,
    number: u32,
    at: Timestamp,
    issued: bool,
}

#[derive(Debug, Default)]
struct Gate {
    open: bool,
    places: BTreeMap<UserId, Place>,
    last: u32,
    /// When users were admitted whose places went back.
    returned: BTreeMap<UserId, Timestamp>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Pending,
    Issued,
    Failed(ErrorCode),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) coupon: CouponId,
    pub(super) user: UserId,
    pub(super) number: u32,
    pub(super) at: Timestamp,
    pub(super) outcome: Outcome,
    decided_at: Timestamp,
}

/// What the model says.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) offers: BTreeMap<CouponId, Offer>,
    pub(super) users: BTreeSet<UserId>,
    gates: BTreeMap<CouponId, Gate>,
    pub(super) requests: BTreeMap<TaskId, Request>,
    /// What the issuer was asked for and has not read.
    asked: Vec<TaskId>,
    /// What was decided, and how far the gate has been told.
    decided: Vec<TaskId>,
    told: usize,
    /// When a request was asked for again, and how long it is left alone since.
    swept: BTreeMap<TaskId, (Duration, Duration)>,
}

impl Gate {
    fn load(&mut self, user: UserId, place: Place) {
        self.last = self.last.max(place.number);
        if self.places.get(&user).is_none_or(|former| !former.issued && place.issued) {
            self.places.insert(user, place);
        }
    }
}

impl Model {
    /// A coupon is offered, and its gate opened.
    pub(super) fn offer(&mut self, coupon: CouponId, offer: Offer) {
        self.offers.insert(coupon, offer);
        self.gates.insert(coupon, Gate { open: true, ..Gate::default() });
    }

    pub(super) fn admit(&mut self, task: TaskId, coupon: CouponId, user: UserId, now: Timestamp) -> Verdict {
        let Some(gate) = self.gates.get_mut(&coupon).filter(|gate| gate.open) else { return Verdict::Closed };
        let (offer, place) = (self.offers[&coupon], gate.places.get(&user).copied());
        if let Some(place) = place.filter(|place| place.task == task) {
            return Verdict::Admitted(place.number);
        }
        let admitted_at = place.map(|place| place.at).or(gate.returned.get(&user).copied());
        let retry_after = admitted_at.map_or(Duration::ZERO, |at| WINDOW.saturating_sub(now.since(at)));
        Verdict::Refused(if retry_after > Duration::ZERO {
            GateRefusal::TooManyRequests { retry_after }
        } else if now < offer.opens_at {
            GateRefusal::Inactive
        } else if now >= offer.expires_at {
            GateRefusal::Expired
        } else if place.is_some() {
            GateRefusal::Duplicated
        } else if gate.places.len() >= offer.stock {
            GateRefusal::OutOfStock
        } else {
            gate.last += 1;
            gate.returned.remove(&user);
            gate.places.insert(user, Place { task, number: gate.last, at: now, issued: false });
            return Verdict::Admitted(gate.last);
        })
    }

    /// An admitted request reaches the store, which asks the issuer unless the request is decided.
    pub(super) fn hand_in(&mut self, task: TaskId, coupon: CouponId, user: UserId, number: u32, at: Timestamp) {
        let request = Request { coupon, user, number, at, outcome: Outcome::Pending, decided_at: at };
        if self.requests.entry(task).or_insert(request).outcome == Outcome::Pending {
            self.asked.push(task);
        }
    }

    /// The issuer reads what it was asked for.
    pub(super) fn issue(&mut self, now: Timestamp) {
        for task in std::mem::take(&mut self.asked) {
            let request = self.requests[&task];
            if request.outcome != Outcome::Pending {
                continue;
            }
            let held: Vec<_> = self.held(request.coupon).collect();
            let outcome = if !self.users.contains(&request.user) {
                Outcome::Failed(ErrorCode::InactiveUser)
            } else if held.iter().any(|(_, other)| other.user == request.user) {
                Outcome::Failed(ErrorCode::DuplicatedCoupon)
            } else if held.len() >= self.offers[&request.coupon].stock {
                Outcome::Failed(ErrorCode::OutOfStockCoupon)
            } else {
                Outcome::Issued
            };
            self.requests.insert(task, Request { outcome, decided_at: now, ..request });
            self.decided.push(task);
        }
    }

    /// Who holds a coupon.
    pub(super) fn held(&self, coupon: CouponId) -> impl Iterator<Item = (TaskId, Request)> {
        let of_coupon = self.requests.iter().filter(move |(_, request)| request.coupon == coupon);
        of_coupon.filter(|(_, request)| request.outcome == Outcome::Issued).map(|(task, request)| (*task, *request))
    }

    /// The gate is told what was decided.
    pub(super) fn settle(&mut self) {
        let told = std::mem::replace(&mut self.told, self.decided.len());
        let news: Vec<_> = self.decided[told..].into();
        for task in news {
            self.settle_one(task);
        }
    }

    /// Everything that was ever decided is on its way to the gate once more.
    pub(super) fn repeat(&mut self) {
        self.decided.extend_from_within(..);
    }

    fn settle_one(&mut self, task: TaskId) {
        let Request { coupon, user, number, outcome, decided_at, .. } = self.requests[&task];
        let Some(gate) = self.gates.get_mut(&coupon).filter(|gate| gate.open) else { return };
        let own = gate.places.get(&user).copied().filter(|place| place.task == task);
        match (outcome, own) {
            (Outcome::Issued, own) => {
                gate.last = gate.last.max(number);
                gate.places.insert(user, Place { task, number, at: own.map_or(decided_at, |place| place.at), issued: true });
            }
            (Outcome::Failed(_), Some(place)) if !place.issued => {
                gate.places.remove(&user);
                gate.returned.insert(user, place.at);
            }
            _ => {}
        }
    }

    /// The gate forgets everything.
    pub(super) fn wipe(&mut self) {
        self.gates.values_mut().for_each(|gate| *gate = Gate::default());
    }

    /// The process forgets what it has just asked for again.
    pub(super) fn restart(&mut self) {
        self.swept.clear();
    }

    /// A gate is told anew what is stored; what only it knows of is kept.
    pub(super) fn rebuild(&mut self, coupon: CouponId) {
        let of_coupon: Vec<_> =
            self.requests.iter().filter(|(_, request)| request.coupon == coupon).map(|(task, it)| (*task, *it)).collect();
        let Some(gate) = self.gates.get_mut(&coupon) else { return };
        let kept: Vec<_> = gate.places.iter().filter(|(_, place)| !place.issued).map(|(user, place)| (*user, *place)).collect();
        *gate = Gate { open: true, last: gate.last, returned: std::mem::take(&mut gate.returned), ..Gate::default() };
        for (task, Request { user, number, at, .. }) in of_coupon.iter().filter(|(_, request)| request.outcome == Outcome::Pending) {
            gate.load(*user, Place { task: *task, number: *number, at: *at, issued: false });
        }
        for (task, Request { user, number, decided_at, .. }) in of_coupon.iter().filter(|(_, request)| request.outcome == Outcome::Issued) {
            gate.load(*user, Place { task: *task, number: *number, at: *decided_at, issued: true });
        }
        for (user, place) in kept {
            gate.load(user, place);
        }
    }

    /// Gates are opened, what was left behind is asked for again, and the gate is told what was decided meanwhile. `running` is how long the
    /// history has taken, by a clock that does not jump.
    pub(super) fn sweep(&mut self, now: Timestamp, running: Duration) {
        let closed: Vec<_> = self.gates.iter().filter(|(coupon, gate)| !gate.open && now < self.offers[*coupon].expires_at).collect();
        let closed: Vec<_> = closed.into_iter().map(|(coupon, _)| *coupon).collect();
        for coupon in closed {
            self.rebuild(coupon);
        }
        let before = now.minus(LEFT_BEHIND_AFTER);
        let mut left_behind = BTreeMap::new();
        for (coupon, gate) in &self.gates {
            let pending = gate.places.iter().filter(|(_, place)| !place.issued && place.at < before);
            left_behind.extend(pending.map(|(user, place)| (place.task, (*coupon, *user, place.number, place.at))));
        }
        let stored = self.requests.iter().filter(|(_, request)| request.outcome == Outcome::Pending && request.at < before);
        left_behind.extend(stored.map(|(task, it)| (*task, (it.coupon, it.user, it.number, it.at))));
        left_behind.retain(|task, _| self.swept.get(task).is_none_or(|(at, pause)| running.saturating_sub(*at) >= *pause));
        self.swept.retain(|_, (at, _)| running.saturating_sub(*at) < 2 * LEFT_ALONE_MAX);
        for (task, (coupon, user, number, at)) in left_behind {
            let pause = self.swept.get(&task).map_or(LEFT_ALONE_MIN, |(_, pause)| (2 * *pause).min(LEFT_ALONE_MAX));
            self.swept.insert(task, (running, pause));
            self.hand_in(task, coupon, user, number, at);
            self.settle_one(task);
        }
    }

    /// How many places of a gate are issued and pending; `None` while it is closed.
    pub(super) fn census(&self, coupon: CouponId) -> Option<(usize, usize)> {
        let gate = self.gates.get(&coupon).filter(|gate| gate.open)?;
        let issued = gate.places.values().filter(|place| place.issued).count();
        Some((issued, gate.places.len() - issued))
    }
}

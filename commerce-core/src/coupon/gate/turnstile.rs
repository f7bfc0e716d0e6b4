use super::{GateCensus, GatePlace, GateRefusal, GateRequest, GateVerdict, PendingPlace, PlaceState, Settlement};
use crate::coupon::{Coupon, Position};
use crate::{CouponId, Timestamp, UserId};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// What a gate knows of one coupon.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    phase: Phase,
    places: HashMap<UserId, GatePlace>,
    /// The pending ones among the places, by number; two users have the same one only if the gate forgot in between.
    pending: BTreeSet<(Position, UserId)>,
    last: u32,
    /// When users were admitted whose places went back: their windows are still open.
    returned: HashMap<UserId, Timestamp>,
    /// The window of the last admission.
    window: Duration,
}

/// So many users whose places went back are remembered, before those are looked for whose windows are closed.
const RETURNED_MIN: usize = 1_024;

#[derive(Debug)]
enum Phase {
    Closed {
        fence: u64,
        /// What was pending when it was closed.
        kept: Vec<GatePlace>,
    },
    Open {
        initial_stock: u32,
        opens_at: Option<Timestamp>,
        expires_at: Timestamp,
        fence: u64,
    },
}

impl Default for Phase {
    fn default() -> Self {
        Self::Closed { fence: 0, kept: Vec::new() }
    }
}

impl Turnstile {
    pub(super) fn admit(&mut self, request: &GateRequest) -> GateVerdict {
        let Phase::Open { initial_stock, opens_at, expires_at, .. } = self.phase else { return GateVerdict::Closed };
        let GateRequest { task_id, user_id, now, window, .. } = *request;
        let place = self.places.get(&user_id);
        if let Some(place) = place.filter(|place| place.task_id == task_id) {
            return GateVerdict::Admitted(place.position);
        }
        let admitted_at = place.map(|place| place.at).or_else(|| self.returned.get(&user_id).copied());
        let open_for = admitted_at.map_or(Duration::ZERO, |at| window.saturating_sub(now.since(at)));
        let refusal = if !open_for.is_zero() {
            Some(GateRefusal::TooManyRequests { retry_after: open_for })
        } else if opens_at.is_some_and(|opens_at| now < opens_at) {
            Some(GateRefusal::Inactive)
        } else if now >= expires_at {
            Some(GateRefusal::Expired)
        } else if place.is_some() {
            Some(GateRefusal::Duplicated)
        } else if self.places.len() >= initial_stock as usize {
            Some(GateRefusal::OutOfStock)
        } else {
            None
        };
        match (refusal, self.last.checked_add(1).and_then(Position::new)) {
            (Some(refusal), _) => GateVerdict::Refused(refusal),
            (None, None) => GateVerdict::Refused(GateRefusal::OutOfStock),
            (None, Some(position)) => {
                self.returned.remove(&user_id);
                self.window = window;
                self.put(GatePlace { task_id, user_id, position, at: now, state: PlaceState::Pending });
                GateVerdict::Admitted(position)
            }
        }
    }

    pub(super) fn settle(&mut self, settlement: &Settlement) {
        let Settlement { task_id, user_id, issued, at, .. } = *settlement;
        if matches!(self.phase, Phase::Closed { .. }) {
            // What is issued while the gate is being told may be missed by whoever tells it. What is not is settled again once it is open.
            if let Some(position) = issued {
                self.put_new(GatePlace { task_id, user_id, position, at, state: PlaceState::Issued });
            }
            return;
        }
        let own = self.places.get(&user_id).copied().filter(|place| place.task_id == task_id);
        match (issued, own) {
            (Some(position), own) => {
                let at = own.map_or(at, |place| place.at);
                self.put(GatePlace { task_id, user_id, position, at, state: PlaceState::Issued });
            }
            // The store has judged before whatever the gate forgot.
            (None, Some(place)) if place.state == PlaceState::Pending => {
                self.places.remove(&user_id);
                self.pending.remove(&(place.position, user_id));
                self.remember_return(user_id, place.at);
            }
            (None, _) => {}
        }
    }

    pub(super) fn pending(&self, coupon_id: CouponId, before: Timestamp) -> impl Iterator<Item = PendingPlace> {
        let kept = match &self.phase {
            Phase::Closed { kept, .. } => kept.as_slice(),
            Phase::Open { .. } => &[],
        };
        let pending = self.pending.iter().filter_map(|(_, user)| self.places.get(user)).chain(kept);
        pending.filter(move |place| place.at < before).map(move |place| {
            let GatePlace { task_id, user_id, position, at, .. } = *place;
            PendingPlace { coupon_id, task_id, user_id, position, at }
        })
    }

    pub(super) fn close(&mut self, fence: u64) {
        let mut kept = match &mut self.phase {
            // The same fence twice is a call that was thought lost: what was loaded since must stay.
            Phase::Closed { fence: last, .. } | Phase::Open { fence: last, .. } if fence <= *last => return,
            Phase::Closed { kept, .. } => std::mem::take(kept),
            Phase::Open { .. } => Vec::new(),
        };
        // What was loaded by somebody who did not finish is loaded again; what only this gate knows of must not get lost.
        let open = matches!(self.phase, Phase::Open { .. });
        kept.extend(self.pending.iter().filter_map(|(_, user)| self.places.get(user)).filter(|_| open));
        let (phase, returned) = (Phase::Closed { fence, kept }, std::mem::take(&mut self.returned));
        *self = Self { phase, returned, last: self.last, window: self.window, ..Self::default() };
    }

    pub(super) fn load(&mut self, fence: u64, places: &[GatePlace]) -> bool {
        let closed_by_caller = matches!(self.phase, Phase::Closed { fence: last, .. } if last == fence);
        if closed_by_caller {
            for place in places {
                self.put_new(*place);
            }
        }
        closed_by_caller
    }

    pub(super) fn open(&mut self, coupon: &Coupon, fence: u64) -> bool {
        let Coupon { initial_stock, opens_at, expires_at, .. } = *coupon;
        let kept = match &mut self.phase {
            Phase::Closed { fence: last, kept } if *last == fence => std::mem::take(kept),
            Phase::Open { fence: last, .. } => return *last == fence,
            Phase::Closed { .. } => return false,
        };
        for place in kept {
            self.put_new(place);
        }
        self.phase = Phase::Open { initial_stock, opens_at, expires_at, fence };
        true
    }

    pub(super) fn census(&self) -> Option<GateCensus> {
        let (places, pending) = (self.places.len() as u64, self.pending.len() as u64);
        matches!(self.phase, Phase::Open { .. }).then_some(GateCensus { issued: places - pending, pending })
    }

    pub(super) fn is_over(&self, before: Timestamp) -> bool {
        matches!(self.phase, Phase::Open { expires_at, .. } if expires_at < before) && self.pending.is_empty()
    }

    /// Remembers the window of a user, and forgets those that are closed by then whenever there may be as many of them as of open ones.
    fn remember_return(&mut self, user: UserId, admitted_at: Timestamp) {
        self.returned.insert(user, admitted_at);
        if self.returned.len() >= RETURNED_MIN && self.returned.len().is_power_of_two() {
            let window = self.window;
            self.returned.retain(|_, at| admitted_at.since(*at) < window);
        }
    }

    /// Adds a place unless the user has one; only that the coupon is issued is later news than that the request is pending.
    fn put_new(&mut self, place: GatePlace) {
        self.last = self.last.max(place.position.get());
        let former = self.places.get(&place.user_id).map(|former| former.state);
        if former.is_none() || (former, place.state) == (Some(PlaceState::Pending), PlaceState::Issued) {
            self.put(place);
        }
    }

    fn put(&mut self, place: GatePlace) {
        if let Some(former) = self.places.insert(place.user_id, place) {
            self.pending.remove(&(former.position, former.user_id));
        }
        if place.state == PlaceState::Pending {
            self.pending.insert((place.position, place.user_id));
        }
        self.last = self.last.max(place.position.get());
    }
}

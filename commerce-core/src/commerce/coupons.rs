use super::commands::typed;
use super::{Commerce, GatePlacement};
use crate::coupon::{
    AdmittedRequest, AskGateRebuild, Coupon, CouponRequest, GateError, GateKeeper, GateRefusal, GateRequest, GateVerdict, KeeperError,
    PendingPlace, RequestCoupon, Settlement,
};
use crate::idempotency::{Answer, KeyedCommand};
use crate::store::StoreError;
use crate::user::Actor;
use crate::{CouponId, Sequence, TaskId, UserCouponId, UserId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How old a request that is not decided is before it is asked for again.
const SWEEP_AFTER: Duration = Duration::from_secs(5);
/// How long it is left alone then, at first and at most.
const SWEEP_PAUSE_MIN: Duration = Duration::from_secs(30);
const SWEEP_PAUSE_MAX: Duration = Duration::from_mins(10);
/// How long a gate remembers a coupon that has expired.
const RETIRE_AFTER: Duration = Duration::from_hours(24);

/// Why a request for a coupon was not admitted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdmissionError {
    /// The gate refused it.
    #[error(transparent)]
    Refused(#[from] GateRefusal),
    /// The gate has lost its memory, and is being told.
    #[error("the gate of this coupon is being rebuilt: ask again in a second")]
    Closed,
    /// The gate cannot be reached; the request may have a place.
    #[error("the coupon gate cannot be reached: ask again later")]
    Gate(#[source] Arc<GateError>),
    /// The store could not keep the request; it may have a place, and is asked for again then.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

impl From<StoreError> for AdmissionError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Why requests that were left behind could not be seen to; they are tried again.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A gate could not be rebuilt.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The gate failed.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

impl Commerce {
    /// Asks the gate for a place. The request that comes of it is to be handed in at the desk
    /// [`request_coupon`](super::Desks::request_coupon) at once; [`request_coupon`](Self::request_coupon) does both.
    ///
    /// # Errors
    /// [`AdmissionError`].
    pub async fn admit(&self, user_id: UserId, coupon_id: CouponId) -> Result<AdmittedRequest, AdmissionError> {
        let parts = &self.0.parts;
        let task_id: TaskId = self.next_id(Sequence::Task).await?;
        let (now, window) = (parts.clock.now(), self.0.settings.coupon_window);
        let verdict = parts.gate.admit(&GateRequest { task_id, coupon_id, user_id, now, window }).await;
        match verdict.map_err(|error| AdmissionError::Gate(Arc::new(error)))? {
            GateVerdict::Admitted(position) => {
                let user_coupon_id = self.next_id(Sequence::UserCoupon).await?;
                Ok(AdmittedRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at: now })
            }
            GateVerdict::Refused(refusal) => Err(refusal.into()),
            GateVerdict::Closed => Err(self.behind_a_closed_gate(coupon_id).await),
        }
    }

    /// Asks for a coupon, first come, first served. Once this returns the outcome is certain to come, and [`watch_task`](Self::watch_task) tells
    /// it.
    ///
    /// # Errors
    /// [`AdmissionError`].
    pub async fn request_coupon(&self, user_id: UserId, coupon_id: CouponId) -> Result<CouponRequest, AdmissionError> {
        let admission = Ok(self.admit(user_id, coupon_id).await?);
        let command = KeyedCommand::without_key(RequestCoupon { admission, trace_parent: None });
        match self.0.desks.request_coupon.submit(command).await? {
            Answer::Fresh(verdict) => Ok(verdict?),
            Answer::Replayed(_) | Answer::KeyReused | Answer::InFlight => {
                Err(StoreError::Corrupt("a command without a key was answered with the answer of a key".into()).into())
            }
        }
    }

    /// A request for a coupon; `None` if it does not exist or is not the actor's to see.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn coupon_request(&self, task: TaskId, actor: Actor) -> Result<Option<CouponRequest>, Arc<StoreError>> {
        Ok(self.0.requests.get(task).await?.filter(|request| actor.may_act_for(request.user_id)))
    }

    /// Who rebuilds the gates of this shop.
    pub fn gate_keeper(&self) -> &GateKeeper {
        &self.0.gates
    }

    /// Asks the process that has the gate of a coupon in its memory to rebuild it: whoever handles the events of `coupon-gate` does so. A gate
    /// within reach is rebuilt by [`gate_keeper`](Self::gate_keeper).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ask_for_gate(&self, coupon_id: CouponId) -> Result<(), Arc<StoreError>> {
        let now = self.0.parts.clock.now();
        self.0.desks.ask_gate_rebuild.submit(AskGateRebuild { coupon_id, now }).await
    }

    /// Opens the gate of a coupon that was just made. If that fails it is opened by the first request or the sweeper.
    pub async fn open_gate(&self, coupon: &Coupon) {
        // In a task of its own: a caller that leaves must not leave the lock behind.
        let (gates, id) = (self.0.gates.clone(), coupon.id);
        let opening = self.0.workers.spawn(async move {
            if let Err(error) = gates.rebuild(id).await {
                tracing::warn!(%error, coupon_id = id.get(), "the gate of a new coupon is opened later");
            }
        });
        // Whether it came to an end or not, the first request finds out.
        let _ended = opening.await;
    }

    /// Opens the gates of all coupons that are closed, without waiting for it. What fails is left to the first request for the coupon, or to the
    /// sweeper.
    pub fn open_gates_in_the_background(&self) {
        let (gates, now) = (self.0.gates.clone(), self.0.parts.clock.now());
        self.0.workers.spawn(async move {
            if let Err(error) = gates.open_closed(now).await {
                tracing::warn!(%error, "not all coupon gates are open yet");
            }
        });
    }

    /// Sees to gates and requests that were left behind: opens gates that are closed, asks again for coupons whose requests have not been decided
    /// for a few seconds, and tells the gate what was decided meanwhile. Where the gates are in another process, only the requests that are stored
    /// are asked for again. Answers how many requests it saw to, at most `limit` of the gate and as many of the store.
    ///
    /// # Errors
    /// [`SweepError`]; what is left is seen to the next time.
    pub async fn sweep_coupons(&self, limit: u32) -> Result<usize, SweepError> {
        let parts = &self.0.parts;
        let now = parts.clock.now();
        let before = now.minus(SWEEP_AFTER);
        let (places, gates_opened) = match self.0.settings.gates {
            GatePlacement::WithinReach => {
                parts.gate.retire(now.minus(RETIRE_AFTER)).await?;
                let opened = self.0.gates.open_closed(now).await.map(drop);
                let places = parts.gate.pending(before, usize::try_from(limit).unwrap_or(usize::MAX)).await?;
                let opened_for = self.0.gates.open_for(&places).await;
                (places, opened.and(opened_for))
            }
            GatePlacement::InAnotherProcess => (Vec::new(), Ok(())),
        };
        let requests = parts.store.queries().pending_requests(None, limit).await.map_err(Arc::new)?;
        let mut stored: BTreeMap<TaskId, CouponRequest> = requests.into_iter().map(|request| (request.task_id, request)).collect();
        let mut only_at_the_gate = places;
        only_at_the_gate.retain(|place| !stored.contains_key(&place.task_id) && self.is_due(place.task_id));
        stored.retain(|task, request| request.admitted_at < before && self.is_due(*task));
        let mut left_behind: Vec<AdmittedRequest> = stored.into_values().map(AdmittedRequest::from).collect();
        let ids = parts.ids.allocate(Sequence::UserCoupon, only_at_the_gate.len()).await.map_err(Arc::new)?;
        for (place, id) in only_at_the_gate.into_iter().zip(ids) {
            left_behind.push(admitted(place, typed(id).map_err(Arc::new)?));
        }
        let swept = if left_behind.is_empty() { 0 } else { self.ask_again(left_behind).await? };
        gates_opened?;
        Ok(swept)
    }

    /// Hands requests in again, and tells the gate of those that are decided by now; answers how many were taken.
    async fn ask_again(&self, left_behind: Vec<AdmittedRequest>) -> Result<usize, SweepError> {
        let command =
            |admitted: &AdmittedRequest| KeyedCommand::without_key(RequestCoupon { admission: Ok(*admitted), trace_parent: None });
        let answers = self.0.desks.request_coupon.submit_all(left_behind.iter().map(command).collect()).await?;
        let (mut settlements, mut taken, mut failure) = (Vec::new(), 0, None);
        for (admitted, answer) in left_behind.iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    taken += 1;
                    self.leave_alone(admitted.task_id);
                    if let Answer::Fresh(Ok(request)) = answer {
                        settlements.extend(Settlement::of(&request));
                    }
                }
                Err(error) => failure = Some(error),
            }
        }
        self.0.parts.gate.settle(&settlements).await?;
        failure.map_or(Ok(taken), |error| Err(error.into()))
    }

    /// Whether a request was not asked for a short time ago.
    fn is_due(&self, task: TaskId) -> bool {
        let swept = self.0.swept.lock().unwrap_or_else(PoisonError::into_inner);
        swept.get(&task).is_none_or(|(at, pause)| at.elapsed() >= *pause)
    }

    /// Leaves a request alone that was asked for again, each time for twice as long: what is slow must not be flooded.
    fn leave_alone(&self, task: TaskId) {
        let mut swept = self.0.swept.lock().unwrap_or_else(PoisonError::into_inner);
        swept.retain(|_, (at, _)| at.elapsed() < 2 * SWEEP_PAUSE_MAX);
        let pause = swept.get(&task).map_or(SWEEP_PAUSE_MIN, |(_, pause)| (2 * *pause).min(SWEEP_PAUSE_MAX));
        swept.insert(task, (Instant::now(), pause));
    }

    /// What a closed gate means: that there is no such coupon, that it is over, or that the gate has forgotten. The third is mended.
    async fn behind_a_closed_gate(&self, id: CouponId) -> AdmissionError {
        let coupon = match self.0.coupons.get(id).await {
            Ok(coupon) => coupon,
            Err(error) => return error.into(),
        };
        match coupon {
            None => GateRefusal::Inactive.into(),
            Some(coupon) if coupon.expired(self.0.parts.clock.now()) => GateRefusal::Expired.into(),
            Some(_) => {
                self.rebuild_in_the_background(id);
                AdmissionError::Closed
            }
        }
    }

    fn rebuild_in_the_background(&self, id: CouponId) {
        let mut rebuilding = self.0.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        if !rebuilding.insert(id) {
            return;
        }
        let shop = self.clone();
        self.0.workers.spawn(async move {
            if let Err(error) = shop.0.gates.rebuild(id).await {
                tracing::warn!(%error, coupon_id = id.get(), "a coupon gate stays closed: it is rebuilt at the next request");
            }
            shop.0.rebuilding.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }
}

fn admitted(place: PendingPlace, user_coupon_id: UserCouponId) -> AdmittedRequest {
    let PendingPlace { coupon_id, task_id, user_id, position, at } = place;
    AdmittedRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at: at }
}

/// When requests were swept, and how long they are left alone since.
pub(super) type Swept = HashMap<TaskId, (Instant, Duration)>;

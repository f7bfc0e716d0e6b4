use super::RedisGate;
use commerce_core::coupon::{GateError, GateRequest, GateVerdict};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// How many requests are decided by one script: others are not to wait for long behind it.
const BATCH_REQUESTS_MAX: usize = 128;
/// How many batches are under way at once.
const BATCHES_IN_FLIGHT_MAX: usize = 2;

/// Requests that wait for the gate. Those that come while others are under way go together, by one script and one round trip; one that comes alone
/// does not wait.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Asked>,
    in_flight: usize,
}

/// A request, and who asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: GateRequest,
    pub(super) answer: oneshot::Sender<Result<GateVerdict, GateError>>,
}

impl Queue {
    /// Hands a request in and waits for the verdict. A caller that goes away takes nothing back that was sent.
    pub(super) async fn ask(self: &Arc<Self>, gate: &RedisGate, request: GateRequest) -> Result<GateVerdict, GateError> {
        let (answer, verdict) = oneshot::channel();
        if self.enter(Asked { request, answer }) {
            tokio::spawn(decide_all(Arc::clone(self), gate.clone()));
        }
        verdict.await.unwrap_or_else(|gone| Err(GateError(gone.into())))
    }

    /// Whether somebody is needed who sees to what waits.
    fn enter(&self, asked: Asked) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push(asked);
        let is_needed = state.in_flight < BATCHES_IN_FLIGHT_MAX;
        state.in_flight += usize::from(is_needed);
        is_needed
    }

    /// Those who waited longest; none if nobody waits, and whoever asked is not needed any more then.
    fn next(&self) -> Vec<Asked> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits behind those who have left: nothing was sent for them yet.
        state.waiting.retain(|asked| !asked.answer.is_closed());
        let count = state.waiting.len().min(BATCH_REQUESTS_MAX);
        state.in_flight -= usize::from(count == 0);
        state.waiting.drain(..count).collect()
    }
}

async fn decide_all(queue: Arc<Queue>, gate: RedisGate) {
    loop {
        // Everybody who is ready to ask does so before the script is sent.
        tokio::task::yield_now().await;
        let batch = queue.next();
        if batch.is_empty() {
            return;
        }
        metrics::histogram!("commerce_gate_batch_requests").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        gate.decide(batch).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commerce_core::{CouponId, TaskId, Timestamp, UserId};
    use std::time::Duration;

    fn asked(id: i64) -> (Asked, oneshot::Receiver<Result<GateVerdict, GateError>>) {
        let (answer, verdict) = oneshot::channel();
        let request = GateRequest {
            task_id: TaskId::new(id).unwrap(),
            coupon_id: CouponId::new(1).unwrap(),
            user_id: UserId::new(id).unwrap(),
            now: Timestamp::from_millis(0),
            window: Duration::ZERO,
        };
        (Asked { request, answer }, verdict)
    }

    #[test]
    fn nobody_waits_behind_those_who_have_left() {
        // Given a batch's worth of requests whose callers have left, and one whose caller has not,
        let queue = Queue::default();
        let last = i64::try_from(BATCH_REQUESTS_MAX).unwrap() + 1;
        for id in 1..last {
            queue.enter(asked(id).0);
        }
        let (live, _verdict) = asked(last);
        queue.enter(live);
        // when the next batch is made up,
        let batch = queue.next();
        // then it has only what somebody waits for, and whoever sees to the queue goes when there is nothing else.
        assert_eq!(batch.iter().map(|asked| asked.request.task_id.get()).collect::<Vec<_>>(), [last]);
        assert!(queue.next().is_empty());
        assert_eq!(queue.0.lock().unwrap().in_flight, BATCHES_IN_FLIGHT_MAX - 1);
    }
}

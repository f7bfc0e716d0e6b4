use super::{Admission, AdmissionCounter, CounterError, Guard, GuardCounts, GuardError, Tally};
use crate::store::{Store, StoreError, UnitOfWork};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What a command takes of something that is used up, or adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// What it is, as the counter knows it.
    pub of: String,
    /// How many units it adds; negative if it takes them.
    pub delta: i64,
}

/// What is used up by a use case, so that a counter can turn away whoever comes too late.
#[async_trait]
pub trait Ration: Send + Sync {
    /// The commands of the use case.
    type Command: Send + Sync + 'static;
    /// Its verdicts.
    type Verdict: Send + Sync + 'static;

    /// What a command takes or adds; `None` if it is not to be counted.
    fn share(&self, command: &Self::Command) -> Option<Share>;

    /// The verdict on a command of which is known that too little is left.
    fn too_late(&self, command: &Self::Command) -> Self::Verdict;

    /// Whether the verdict says that the units were taken, or added.
    fn is_done(&self, verdict: &Self::Verdict) -> bool;

    /// How many units are left of what a command takes, as the store says without locking anything; `None` if there is no such thing.
    async fn left(&self, uow: &mut dyn UnitOfWork, command: &Self::Command) -> Result<Option<u64>, StoreError>;
}

/// A counter in front of another guard: whoever comes when nothing is left is turned away by one call to the counter, without the store.
///
/// **Guarantees** nothing by itself: the guard that it wraps decides in the store, whatever the counter says. A counter that says too much costs
/// a command that the store refuses; one that cannot be reached lets everybody pass. What the store refuses, or what definitely fails, is given
/// back; what is [unknown](GuardError::is_unknown), or was dropped on the way, is not.
///
/// **Fails** by turning somebody away who could have been served: after such a loss, or when others changed the row without the counter. It is
/// wrong for no longer than a count is `believed`; then the store is asked again how many are left.
///
/// **Costs** a call for each command, two for one that is given back, and a read of the store whenever a count is not believed any more. It is
/// worth it where most come too late ([`turned_away`](GuardCounts::turned_away)). The gate for coupons
/// ([`CouponGate`](crate::coupon::CouponGate)) is such a counter that knows more: who has a place already, in which order places were given, and
/// which of them are not decided yet; the [issuer](crate::coupon::CouponIssuer) behind it is the judge.
pub struct CounterInFront<G, R> {
    inner: G,
    ration: R,
    counter: Arc<dyn AdmissionCounter>,
    store: Arc<dyn Store>,
    believed: Duration,
    /// One at a time asks the store.
    recounts: Mutex<()>,
    tally: Tally,
}

impl<G, R> CounterInFront<G, R>
where
    R: Ration,
    G: Guard<Command = R::Command, Verdict = R::Verdict>,
{
    /// Puts the counter in front of `inner`; what it is told is believed for `believed`.
    pub fn new(inner: G, ration: R, counter: Arc<dyn AdmissionCounter>, store: Arc<dyn Store>, believed: Duration) -> Self {
        Self { inner, ration, counter, store, believed, recounts: Mutex::default(), tally: Tally::default() }
    }

    /// Asks the counter, and tells it what the store says if it does not know. An error is one of the counter or of the store: then nobody knows.
    async fn admit(&self, command: &R::Command, of: &str, units: u64) -> Result<Admission, Unasked> {
        let admission = self.counter.take(of, units).await?;
        if admission != Admission::Unknown {
            return Ok(admission);
        }
        let _recounting = self.recounts.lock().await;
        let admission = self.counter.take(of, units).await?;
        if admission != Admission::Unknown {
            return Ok(admission);
        }
        let mut uow = self.store.begin_unlocked().await?;
        let left = self.ration.left(uow.as_mut(), command).await?;
        drop(uow);
        let Some(left) = left else { return Ok(Admission::Unknown) };
        self.counter.tell(of, left, self.believed).await?;
        Ok(self.counter.take(of, units).await?)
    }

    async fn give(&self, of: &str, units: u64) {
        if let Err(error) = self.counter.give(of, units).await {
            tracing::debug!(error = %error.0, of, units, "a counter was not told of what is left: it is wrong until it is counted anew");
        }
    }
}

/// Why a counter has nothing to say.
#[derive(Debug, thiserror::Error)]
enum Unasked {
    #[error(transparent)]
    Counter(#[from] CounterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
impl<G, R> Guard for CounterInFront<G, R>
where
    R: Ration,
    G: Guard<Command = R::Command, Verdict = R::Verdict>,
{
    type Command = R::Command;
    type Verdict = R::Verdict;

    async fn run(&self, command: R::Command) -> Result<R::Verdict, GuardError> {
        let Some(Share { of, delta }) = self.ration.share(&command) else { return self.inner.run(command).await };
        let units = delta.unsigned_abs();
        let mut taken = false;
        if delta < 0 {
            match self.admit(&command, &of, units).await {
                Ok(Admission::Taken) => taken = true,
                Ok(Admission::TooLate) => {
                    self.tally.turned_away();
                    return Ok(self.ration.too_late(&command));
                }
                Ok(Admission::Unknown) => {}
                Err(error) => tracing::debug!(%error, of, "a counter does not answer: everybody passes"),
            }
        }
        let outcome = self.inner.run(command).await;
        let done = outcome.as_ref().is_ok_and(|verdict| self.ration.is_done(verdict));
        let unknown = outcome.as_ref().is_err_and(GuardError::is_unknown);
        if taken && !done && !unknown || delta > 0 && done {
            self.give(&of, units).await;
        }
        outcome
    }

    /// Those of the guard behind, and how many were turned away in front of it.
    fn counts(&self) -> GuardCounts {
        let behind = self.inner.counts();
        GuardCounts { turned_away: behind.turned_away + self.tally.counts().turned_away, ..behind }
    }
}

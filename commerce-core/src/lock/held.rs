use super::{DistributedLock, Fence, LockError, LockGrant};
use metrics::{counter, histogram};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

/// The lease is renewed whenever this part of it is over: two renewals can fail before it ends.
const RENEWED_AFTER: u32 = 3;
/// What failed, a renewal or a release, is tried again when this part of the lease is over.
const TRIED_AGAIN_AFTER: u32 = 12;

/// For how long a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    /// How long others wait at most for a holder that has crashed. It is renewed as long as the lock is held.
    pub lease: Duration,
    /// How long the lock is held at most: after that it is not renewed any more, and lost. A holder that hangs must not keep it for ever.
    pub held_max: Duration,
}

impl Tenure {
    /// For jobs: a lease of half a minute, and an hour at most.
    pub const JOB: Self = Self { lease: Duration::from_secs(30), held_max: Duration::from_hours(1) };
    /// For locks that are held for a unit of work: a lease of 10 seconds, and a minute at most.
    pub const UNIT_OF_WORK: Self = Self { lease: Duration::from_secs(10), held_max: Duration::from_mins(1) };
}

/// A lock that is held, or several that were taken together. It is renewed until it is released or dropped.
///
/// Dropping it stops the renewal at once and releases the lock in the background. As long as that fails it is tried again, until the lease has ended
/// and the lock is free.
///
/// It can be lost: when its holder stalls for longer than the lease, when the service cannot be reached for as long, when the service loses its
/// memory, or after [`Tenure::held_max`]. The holder is told ([`lost`](Self::lost)) and should stop, but it may be told too late: what it
/// writes must carry its [`fences`](Self::fences).
#[must_use = "the lock is let go when this is dropped"]
pub struct HeldLock {
    term: Arc<Term>,
    fences: Vec<Fence>,
    since: Instant,
    released: bool,
}

/// What holder and renewal share.
struct Term {
    service: Arc<dyn DistributedLock>,
    kind: &'static str,
    grants: Vec<LockGrant>,
    lease: Duration,
    lost: CancellationToken,
    over: CancellationToken,
}

impl HeldLock {
    /// Begins to renew what was granted after it was asked for at `asked`: by then the lease began, at the earliest.
    pub(super) fn begin(
        service: Arc<dyn DistributedLock>,
        kind: &'static str,
        grants: Vec<LockGrant>,
        tenure: Tenure,
        asked: Instant,
    ) -> Self {
        let fences = grants.iter().map(LockGrant::fence).collect();
        let term =
            Arc::new(Term { service, kind, grants, lease: tenure.lease, lost: CancellationToken::new(), over: CancellationToken::new() });
        tokio::spawn(Arc::clone(&term).renew(tenure, asked));
        Self { term, fences, since: asked, released: false }
    }

    /// What the holder shows when it writes: one fence for each lock.
    pub fn fences(&self) -> &[Fence] {
        &self.fences
    }

    /// The fence of the only lock that was taken, or of the first one.
    pub fn fence(&self) -> u64 {
        self.fences.first().map_or(0, |fence| fence.number)
    }

    /// Cancelled once the lock is known to be lost. That it is not cancelled does not prove that the lock is held.
    pub fn lost(&self) -> &CancellationToken {
        &self.term.lost
    }

    /// Whether the lock is known to be lost.
    pub fn is_lost(&self) -> bool {
        self.term.lost.is_cancelled()
    }

    /// Lets the lock go; whether it was held until now.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached: it is tried again in the background, and the lock is free when its lease ends.
    pub async fn release(mut self) -> Result<bool, LockError> {
        self.term.over.cancel();
        let held = self.term.release().await?;
        self.released = true;
        if !held && !self.is_lost() {
            self.term.lose();
        }
        Ok(held)
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.term.over.cancel();
        histogram!("commerce_lock_held_seconds", "kind" => self.term.kind).record(self.since.elapsed());
        if self.released {
            return;
        }
        // Without a runtime nothing can be sent any more: the lease ends by itself.
        if let Ok(runtime) = Handle::try_current() {
            let term = Arc::clone(&self.term);
            runtime.spawn(async move { term.release_in_time().await });
        }
    }
}

impl Term {
    async fn release(&self) -> Result<bool, LockError> {
        match self.grants.as_slice() {
            [grant] => self.service.release(grant).await,
            many => self.service.release_all(many).await,
        }
    }

    /// Lets go of what may be held for another lease, or finds that nothing is held any more.
    async fn release_in_time(&self) {
        let ended = sleep(self.lease);
        let released = async {
            while let Err(error) = self.release().await {
                tracing::debug!(error = %error.0, "a lock could not be released");
                sleep(self.lease / TRIED_AGAIN_AFTER).await;
            }
        };
        tokio::select! {
            () = released => {}
            () = ended => {}
        }
    }

    /// Renews the lease until the holder lets go; tells the holder once the lock is lost.
    async fn renew(self: Arc<Self>, tenure: Tenure, asked: Instant) {
        tokio::select! {
            biased;
            () = self.over.cancelled() => {}
            () = self.renew_until_lost(tenure, asked) => self.lose(),
        }
    }

    fn lose(&self) {
        self.lost.cancel();
        counter!("commerce_lock_lost_total", "kind" => self.kind).increment(1);
        let name = self.grants.first().map_or("", |grant| grant.name.as_str());
        tracing::warn!(lock = name, locks = self.grants.len(), "a lock was lost while it was held");
    }

    /// Returns once the lock has to be given up for lost. Every lease is reckoned from when it was asked for: the service begins it later.
    async fn renew_until_lost(&self, tenure: Tenure, asked: Instant) {
        let enough = asked + tenure.held_max;
        let (mut ends, mut pause) = (asked + tenure.lease, tenure.lease / RENEWED_AFTER);
        loop {
            sleep(pause).await;
            let asked = Instant::now();
            if asked >= enough {
                sleep_until(ends).await;
                return;
            }
            let renewed = match self.grants.as_slice() {
                [grant] => timeout_at(ends, self.service.renew(grant, tenure.lease)).await,
                many => timeout_at(ends, self.service.renew_all(many, tenure.lease)).await,
            };
            pause = match renewed {
                Ok(Ok(true)) => {
                    ends = asked + tenure.lease;
                    tenure.lease / RENEWED_AFTER
                }
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::debug!(error = %error.0, "a lock could not be renewed");
                    if Instant::now() >= ends {
                        return;
                    }
                    (tenure.lease / TRIED_AGAIN_AFTER).min(ends - Instant::now())
                }
            };
        }
    }
}

use super::work::Work;
use super::{Contended, Guard, GuardCounts, GuardError, Rechecked, Tally};
use crate::lock::{Fenced, FencedCommands, Locks, Patience, Tenure};
use crate::store::{Backoff, Begin, Random, Store, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

/// The distributed lock around a transaction that itself locks nothing it reads; let go after the commit, and not before.
///
/// **Guarantees** that no write is lost, in any number of processes, also when the lock fails. Who takes the lock shows its fence in the unit of
/// work that it writes in ([`Fenced`]): once a later holder has written, what an earlier one writes is refused with [`StoreError::Fenced`],
/// however long it stalled. And as every write is [`Rechecked`], nothing is lost to those who write the same rows without the lock, or to a
/// commit that is still under way when the lock of a crashed holder is taken. 256 that want the same lock at the same time, and have the
/// [`Patience`] for it, are all served within 30 seconds where a unit of work takes some milliseconds; whoever finds the lock held until its
/// patience ends is told so ([`GuardError::LockHeld`]).
///
/// **Fails** when the lock service does: then nothing is done. A holder that crashes keeps everybody waiting until its lease ends. Nobody queues:
/// whoever tries first after a release has it, and the tries of the others ([`waits`](GuardCounts::waits)) cost the service as much as a grant.
/// [`Patience::TOLD`] spares most of them.
///
/// **Costs** two calls to the service and a statement for each fence more than a row lock, and is worth it only where the lock protects more than
/// rows. Once the fence is claimed, its row is locked until the commit: whoever stalls after that stalls those behind it as a row lock does.
pub struct SpinLock<H> {
    work: Work<Fenced<H>>,
    locks: Locks,
    tenure: Tenure,
    patience: Patience,
}

impl<H: Rechecked + Contended> SpinLock<H> {
    /// Runs this use case on this store, under these locks.
    pub fn new(handler: H, store: Arc<dyn Store>, random: Arc<dyn Random>, locks: Locks, tenure: Tenure, patience: Patience) -> Self {
        let (begin, backoff, tally) = (Begin::Unlocked, Backoff::STORE, Tally::default());
        let work = Work { guard: "spin-lock", handler: Fenced(handler), store, random, begin, backoff, tally };
        Self { work, locks, tenure, patience }
    }
}

#[async_trait]
impl<H: Rechecked + Contended> Guard for SpinLock<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn run(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        let names = self.work.handler.0.contends_for(&command);
        let (refusals, held) = self.locks.lock_counted(&names, self.tenure, self.patience).await;
        self.work.tally.waited(refusals);
        let Some(held) = held? else {
            self.work.tally.gave_up("spin-lock");
            return Err(GuardError::LockHeld);
        };
        let fenced = FencedCommands { fences: held.fences().to_vec(), commands: vec![command] };
        let carried_out = self.work.carry_out(fenced).await;
        if let Err(error) = held.release().await {
            tracing::debug!(error = %error.0, "a lock that was not released is free when its lease ends");
        }
        carried_out?.pop().ok_or_else(|| StoreError::Corrupt("a handler answered no verdict".to_owned()).into())
    }

    fn counts(&self) -> GuardCounts {
        self.work.tally.counts()
    }
}

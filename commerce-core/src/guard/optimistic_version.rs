use super::work::Work;
use super::{Guard, GuardCounts, GuardError, Rechecked, Tally};
use crate::store::{Backoff, Begin, Random, Store};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// The optimistic guard: a unit of work for each command that locks nothing it reads. The save is refused if somebody else has saved since, and
/// everything is done again after a pause with full jitter.
///
/// **Guarantees** that no write is lost, in any number of processes, for use cases whose writes are all [`Rechecked`]. Of those who collide one
/// always wins: together they get on.
///
/// **Fails** for a single command: nobody queues, and whoever is slower than the others can lose every time. After
/// [`attempts_max`](Backoff::attempts_max) attempts it gives up with [`GuardError::Starved`], which is [counted](GuardCounts::gave_up). The more
/// want the same row, the more work is done in vain ([`conflicts`](GuardCounts::conflicts)): on MySQL those who have read wait for the row to
/// write it, one behind the other, and all but the first in vain. With [`PATIENT`](Self::PATIENT), the default, 256 that want the same row at the
/// same time are all served, but it may take two minutes. A store that lets one write at a time ([`Writers::One`](crate::store::Writers::One)),
/// as SQLite does, locks all the same: there nobody collides.
///
/// **Costs** the same round trips as a row lock, no wait for the row, and every attempt in vain once more.
pub struct OptimisticVersion<H>(Work<H>);

impl OptimisticVersion<()> {
    /// At most 100 attempts, with pauses of 2 ms doubling up to 200 ms.
    pub const PATIENT: Backoff = Backoff { base: Duration::from_millis(2), cap: Duration::from_millis(200), attempts_max: 100 };
}

impl<H: Rechecked> OptimisticVersion<H> {
    /// Runs this use case on this store.
    pub fn new(handler: H, store: Arc<dyn Store>, random: Arc<dyn Random>) -> Self {
        Self::with_backoff(handler, store, random, OptimisticVersion::PATIENT)
    }

    /// The same, with as many attempts as `backoff` says.
    pub fn with_backoff(handler: H, store: Arc<dyn Store>, random: Arc<dyn Random>, backoff: Backoff) -> Self {
        Self(Work { guard: "optimistic-version", handler, store, random, begin: Begin::Unlocked, backoff, tally: Tally::default() })
    }
}

#[async_trait]
impl<H: Rechecked> Guard for OptimisticVersion<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn run(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        self.0.carry_out(command).await
    }

    fn counts(&self) -> GuardCounts {
        self.0.tally.counts()
    }
}

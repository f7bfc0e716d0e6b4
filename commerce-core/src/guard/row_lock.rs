use super::work::Work;
use super::{Guard, GuardCounts, GuardError, Tally};
use crate::store::{Backoff, Begin, Handler, Random, Store};
use async_trait::async_trait;
use std::sync::Arc;

/// The pessimistic guard: a unit of work for each command, in which the rows are locked when they are read (`SELECT … FOR UPDATE`).
///
/// **Guarantees** that nothing comes between what a command read and what it writes, in any number of processes, for every use case. Who waits
/// for a row queues in the store: 256 that want the same row at the same time are all served, on SQLite and in memory one after the other, on
/// MySQL as long as the wait for a connection and for the row are within their bounds, which is well within 30 seconds.
///
/// **Fails** where a row is hot: the row is locked from the read to the end of the commit, so that it sees at most one command for each sync of
/// the disk, and whoever stalls with it stalls all behind it until the store's time-out for locks. Commands that lock several rows can wait for
/// each other; the store breaks that off ([`conflicts`](GuardCounts::conflicts)), and it is tried again.
///
/// **Costs** a round trip for each of begin, read, write, ledger and commit, and one commit a command.
pub struct RowLock<H>(Work<H>);

impl<H: Handler> RowLock<H> {
    /// Runs this use case on this store.
    pub fn new(handler: H, store: Arc<dyn Store>, random: Arc<dyn Random>) -> Self {
        let (begin, backoff, tally) = (Begin::Locking, Backoff::STORE, Tally::default());
        Self(Work { guard: "row-lock", handler, store, random, begin, backoff, tally })
    }
}

#[async_trait]
impl<H: Handler> Guard for RowLock<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn run(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        self.0.carry_out(command).await
    }

    fn counts(&self) -> GuardCounts {
        self.0.tally.counts()
    }
}

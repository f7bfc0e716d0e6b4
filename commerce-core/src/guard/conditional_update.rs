use super::work::Work;
use super::{Conditional, Guard, GuardCounts, GuardError, Tally};
use crate::store::{Backoff, Begin, Random, Store};
use async_trait::async_trait;
use std::sync::Arc;

/// The guard of what one statement can decide: `UPDATE … SET quantity = quantity - 1 WHERE … AND quantity BETWEEN …`.
///
/// **Guarantees** the same as a row lock, without reading first: the statement locks the row, looks at what is committed, and writes or does not.
/// It takes handlers that are made for it ([`Conditional`]). 256 that want the same row at the same time queue in the store and are all served
/// within 30 seconds.
///
/// **Fails** where a rule does not fit into a condition on the row itself, and where a row is hot: it is locked until the commit still, for one
/// round trip less. A refusal is worded by another read.
///
/// **Costs** a round trip less than a row lock, because the statement that writes also answers what is left; a commit a command.
pub struct ConditionalUpdate<H>(Work<H>);

impl<H: Conditional> ConditionalUpdate<H> {
    /// Runs this use case on this store.
    pub fn new(handler: H, store: Arc<dyn Store>, random: Arc<dyn Random>) -> Self {
        let (begin, backoff, tally) = (Begin::Unlocked, Backoff::STORE, Tally::default());
        Self(Work { guard: "conditional-update", handler, store, random, begin, backoff, tally })
    }
}

#[async_trait]
impl<H: Conditional> Guard for ConditionalUpdate<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn run(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        self.0.carry_out(command).await
    }

    fn counts(&self) -> GuardCounts {
        self.0.tally.counts()
    }
}

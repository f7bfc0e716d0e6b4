use super::{Guard, GuardCounts, GuardError};
use crate::store::{Desk, Handler};
use async_trait::async_trait;

/// Group commit as a guard, and the default of a shop: commands that arrive together are decided together and share a commit.
///
/// **Guarantees** what a [`RowLock`](super::RowLock) does, for every use case and in any number of processes: the rows of a batch are locked when
/// they are read. Commands are carried out in the order in which they reach the desk, also when the caller does not wait for them. 256 that want
/// the same row at the same time are served by one batch or two, within 5 seconds.
///
/// **Fails** with [`StoreError::Overloaded`](crate::store::StoreError::Overloaded) when more wait than the desk takes. One slow handler delays
/// everybody in its batch. Across processes a hot row is a queue of batches.
///
/// **Costs** a share of a lock, a write and a commit: the more want the same row, the less. A command that comes alone costs what it does by a
/// row lock.
#[async_trait]
impl<H: Handler> Guard for Desk<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn run(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        Ok(self.submit(command).await?)
    }

    fn counts(&self) -> GuardCounts {
        self.tally().counts()
    }
}

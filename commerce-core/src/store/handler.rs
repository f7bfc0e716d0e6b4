use super::{StoreError, UnitOfWork};
use async_trait::async_trait;
use std::sync::Arc;

/// A use case over a batch of commands in one unit of work: load every aggregate the batch touches, locking ascending by id; decide each
/// command in arrival order; save what changed.
///
/// A hot row so costs one lock and one write a batch, not one a command. A handler neither begins nor commits, and may be run again for
/// the same commands after its unit of work was rolled back.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// What is asked for.
    type Command: Clone + Send + Sync + 'static;
    /// What became of it: its result or a typed refusal. A refusal is no error: the other commands of the batch go on.
    type Verdict: Send + 'static;

    /// Handles a batch and answers one verdict for each command, in the same order.
    ///
    /// # Errors
    /// Those of the store; the whole unit of work is rolled back then.
    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[Self::Command]) -> Result<Vec<Self::Verdict>, StoreError>;

    /// Looks at a command again once the steps that follow have been taken in the same unit of work: what they made of it may belong to the verdict.
    /// [`GroupCommit`](super::GroupCommit) asks for it, and only if the batch appended events.
    ///
    /// # Errors
    /// Those of the store; the whole unit of work is rolled back then.
    async fn conclude(&self, _uow: &mut dyn UnitOfWork, _command: &Self::Command, _verdict: &mut Self::Verdict) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl<H: Handler> Handler for Arc<H> {
    type Command = H::Command;
    type Verdict = H::Verdict;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[H::Command]) -> Result<Vec<H::Verdict>, StoreError> {
        H::handle(self, uow, batch).await
    }

    async fn conclude(&self, uow: &mut dyn UnitOfWork, command: &H::Command, verdict: &mut H::Verdict) -> Result<(), StoreError> {
        H::conclude(self, uow, command, verdict).await
    }
}

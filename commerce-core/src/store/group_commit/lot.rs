use super::super::{StoreError, UnitOfWork};
use async_trait::async_trait;
use std::sync::Arc;

/// Commands of one handler that share a unit of work.
#[async_trait]
pub(super) trait Lot: Send {
    /// How many commands there are.
    fn len(&self) -> usize;
    /// Runs the handler and keeps the verdicts until the commit; a second run replaces them.
    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError>;
    /// Lets the handler look at each command again, after the steps that follow.
    async fn conclude(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError>;
    /// Hands out the verdicts, after the commit.
    fn settle(self: Box<Self>);
    /// Hands out the error instead.
    fn fail(self: Box<Self>, error: &Arc<StoreError>);
    /// Two halves, or the lot itself if it has a single command.
    fn split(self: Box<Self>) -> Halves;
}

/// Two halves of a lot, or the whole if it has a single command.
pub(super) type Halves = Result<(Box<dyn Lot>, Box<dyn Lot>), Box<dyn Lot>>;

/// Where lots come from.
pub(super) trait Source: Send + Sync {
    /// Takes at most `commands_max` commands; `None` if none waits.
    fn take(&self, commands_max: usize) -> Option<Box<dyn Lot>>;
    /// Refuses commands from now on.
    fn close(&self);
}

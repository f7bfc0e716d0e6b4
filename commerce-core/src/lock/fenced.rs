use super::Fence;
use crate::store::{Handler, StoreError, UnitOfWork};
use async_trait::async_trait;

/// Commands that somebody gives as the holder of locks.
#[derive(Debug, Clone)]
pub struct FencedCommands<C> {
    /// What the holder shows.
    pub fences: Vec<Fence>,
    /// What is asked for, together.
    pub commands: Vec<C>,
}

/// A handler for a holder of locks: the commands are carried out together, and not at all once a later holder has written. They fail with
/// [`StoreError::Fenced`] then.
pub struct Fenced<H>(
    /// Who carries them out.
    pub H,
);

#[async_trait]
impl<H: Handler> Handler for Fenced<H> {
    type Command = FencedCommands<H::Command>;
    type Verdict = Vec<H::Verdict>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[Self::Command]) -> Result<Vec<Self::Verdict>, StoreError> {
        for FencedCommands { fences, .. } in batch {
            let claimed = uow.fences().claim(fences).await;
            if let Err(StoreError::Fenced { lock }) = &claimed {
                metrics::counter!("commerce_lock_fenced_writes_total").increment(1);
                tracing::warn!(%lock, "what a holder of a lock wrote too late was refused");
            }
            claimed?;
        }
        let commands: Vec<H::Command> = batch.iter().flat_map(|fenced| &fenced.commands).cloned().collect();
        let mut verdicts = self.0.handle(uow, &commands).await?.into_iter();
        Ok(batch.iter().map(|fenced| verdicts.by_ref().take(fenced.commands.len()).collect()).collect())
    }

    async fn conclude(&self, uow: &mut dyn UnitOfWork, fenced: &Self::Command, verdicts: &mut Self::Verdict) -> Result<(), StoreError> {
        for (command, verdict) in fenced.commands.iter().zip(verdicts) {
            self.0.conclude(uow, command, verdict).await?;
        }
        Ok(())
    }
}

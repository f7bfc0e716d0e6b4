use super::{GuardError, Tally};
use crate::store::{Backoff, Begin, Handler, Random, Store, StoreError, Transaction, UnitOfWork, transact_counted};
use async_trait::async_trait;
use std::sync::Arc;

/// What all guards are made of that run a unit of work for each command.
pub(super) struct Work<H> {
    /// The guard, for metrics.
    pub(super) guard: &'static str,
    pub(super) handler: H,
    pub(super) store: Arc<dyn Store>,
    pub(super) random: Arc<dyn Random>,
    pub(super) begin: Begin,
    pub(super) backoff: Backoff,
    pub(super) tally: Tally,
}

impl<H: Handler> Work<H> {
    /// Carries out one command in a unit of work, and again in another one when somebody came between.
    pub(super) async fn carry_out(&self, command: H::Command) -> Result<H::Verdict, GuardError> {
        let mut transaction = Single { handler: &self.handler, command: [command] };
        let (store, random) = (self.store.as_ref(), self.random.as_ref());
        match transact_counted(store, self.begin, self.backoff, random, &self.tally, &mut transaction).await {
            Ok(verdict) => {
                self.tally.served(1);
                Ok(verdict)
            }
            Err(StoreError::Conflict) => {
                self.tally.gave_up(self.guard);
                Err(GuardError::Starved { attempts: self.backoff.attempts_max })
            }
            Err(error) => Err(error.into()),
        }
    }
}

struct Single<'a, H: Handler> {
    handler: &'a H,
    command: [H::Command; 1],
}

#[async_trait]
impl<H: Handler> Transaction for Single<'_, H> {
    type Output = H::Verdict;

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<H::Verdict, StoreError> {
        let verdict = self.handler.handle(uow, &self.command).await?.pop();
        verdict.ok_or_else(|| StoreError::Corrupt("a handler answered no verdict".to_owned()))
    }
}

use crate::Clock;
use crate::guard::{Contended, Guard, GuardCounts, GuardError};
use crate::lock::{Locks, Patience, Tenure};
use crate::stock::{AdjustStock, Stock, StockAdjustment, StockError, StockQuantity};
use crate::store::{Store, StoreError};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How not to do it, and how it is often done: a distributed lock around the decision that is let go before the commit, and a write of what the
/// stock *is* from now on instead of what it *changes* by.
///
/// Whoever takes the lock in between reads what was true before, and writes over what it does not know of: units are sold twice. It is kept as
/// the example that every check of a guard has to catch, [`judge_stock`](super::judge_stock) first of all; and to show that it is not even fast.
pub struct ReleasedTooEarly {
    store: Arc<dyn Store>,
    locks: Locks,
    use_case: StockAdjustment,
    commit_takes: Duration,
    served: AtomicU64,
}

impl ReleasedTooEarly {
    /// On this store, under these locks; `commit_takes` is how much longer than the lock is held a commit takes at least.
    pub fn new(store: Arc<dyn Store>, locks: Locks, clock: Arc<dyn Clock>, commit_takes: Duration) -> Self {
        Self { store, locks, use_case: StockAdjustment { clock }, commit_takes, served: AtomicU64::new(0) }
    }

    async fn read(&self, command: &AdjustStock) -> Result<Option<Stock>, StoreError> {
        let mut uow = self.store.begin().await?;
        Ok(uow.stock().lock(&[command.option_id]).await?.pop())
    }
}

#[async_trait]
impl Guard for ReleasedTooEarly {
    type Command = AdjustStock;
    type Verdict = Result<StockQuantity, StockError>;

    async fn run(&self, command: AdjustStock) -> Result<Self::Verdict, GuardError> {
        let names = self.use_case.contends_for(&command);
        let patience = Patience { wait_max: Duration::from_secs(30), ..Patience::SPIN };
        let held = self.locks.lock(&names, Tenure::UNIT_OF_WORK, patience).await?.ok_or(GuardError::LockHeld)?;
        let decided = match self.read(&command).await? {
            None => Err(StockError::OptionNotFound(command.option_id)),
            Some(mut stock) => stock.adjust(command.delta, &command.reason, self.use_case.clock.now()).map(|entry| (stock, entry)),
        };
        // Here it is: the decision stands, nobody else can see it yet, and the next one may decide.
        held.release().await?;
        tokio::time::sleep(self.commit_takes).await;
        let verdict = match decided {
            Err(refusal) => Err(refusal),
            Ok((decided, entry)) => {
                let mut uow = self.store.begin().await?;
                let current = uow.stock().lock(&[command.option_id]).await?.pop().ok_or(StoreError::Conflict)?;
                // The version says that somebody came between. It is not looked at.
                uow.stock().save(&[Stock { version: current.version, ..decided.clone() }], &[entry]).await?;
                uow.commit().await?;
                Ok(decided.quantity)
            }
        };
        self.served.fetch_add(1, Ordering::Relaxed);
        Ok(verdict)
    }

    fn counts(&self) -> GuardCounts {
        let served = self.served.load(Ordering::Relaxed);
        GuardCounts { served, attempts: served, ..GuardCounts::default() }
    }
}

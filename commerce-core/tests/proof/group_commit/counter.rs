//! A desk whose commands are charges, some of which break the batch they are in.

use async_trait::async_trait;
use commerce_core::point::{Charge, ChargeAmount, ChargePoints, PointError};
use commerce_core::store::{Desk, GroupCommit, GroupCommitLimits, Handler, Store, StoreError, UnitOfWork};
use commerce_core::testing::{Fault, FaultyStore, ManualClock, MemoryStore, SeededRandom};
use commerce_core::{Money, UserId};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// Amounts that break the batch they are in.
pub(super) const CORRUPT: i64 = 666_666;
pub(super) const PANIC: i64 = 777_777;
pub(super) const CONTENDED: i64 = 888_888;
pub(super) const SILENT: i64 = 999_999;

pub(super) struct Till {
    charge: Charge,
    batches: Arc<Mutex<Vec<Vec<i64>>>>,
    /// How long each batch takes.
    takes: Duration,
}

#[async_trait]
impl Handler for Till {
    type Command = ChargePoints;
    type Verdict = Result<Money, PointError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[ChargePoints]) -> Result<Vec<Self::Verdict>, StoreError> {
        let amounts: Vec<_> = batch.iter().map(|command| command.amount.amount().krw()).collect();
        self.batches.lock().unwrap().push(amounts.clone());
        sleep(self.takes).await;
        let mut verdicts = self.charge.handle(uow, batch).await?;
        // What was written before the fault must be rolled back with it.
        assert!(!amounts.contains(&PANIC), "the command panics");
        if amounts.contains(&CORRUPT) {
            return Err(StoreError::Corrupt("the command is poisoned".to_owned()));
        }
        if amounts.contains(&CONTENDED) {
            return Err(StoreError::Conflict);
        }
        if amounts.contains(&SILENT) {
            verdicts.pop();
        }
        Ok(verdicts)
    }
}

/// A till, and what it did.
pub(super) struct Counter {
    pub(super) memory: MemoryStore,
    pub(super) store: Arc<FaultyStore>,
    pub(super) group_commit: Arc<GroupCommit>,
    pub(super) desk: Arc<Desk<Till>>,
    pub(super) batches: Arc<Mutex<Vec<Vec<i64>>>>,
    pub(super) user: UserId,
}

impl Counter {
    /// A till whose units of work meet these faults.
    pub(super) async fn open(limits: GroupCommitLimits, script: impl IntoIterator<Item = Option<Fault>>) -> Self {
        let memory = MemoryStore::new();
        let user = UserId::new(1).unwrap();
        let mut uow = memory.begin().await.unwrap();
        uow.points().open(&[commerce_core::point::PointAccount::open(user)]).await.unwrap();
        uow.commit().await.unwrap();
        let store = Arc::new(FaultyStore::scripted(Arc::new(memory.clone()), script));
        let group_commit = GroupCommit::start(Arc::clone(&store) as _, Arc::new(SeededRandom::new(1)), limits);
        let batches = Arc::default();
        let desk = group_commit.desk(till(&batches));
        Self { memory, store, group_commit, desk, batches, user }
    }

    /// Another desk of the same kind.
    pub(super) fn another_desk(&self) -> Arc<Desk<Till>> {
        self.group_commit.desk(self.till())
    }

    /// Another desk, whose batches take so long.
    pub(super) fn slow_desk(&self, takes: Duration) -> Arc<Desk<Till>> {
        self.group_commit.desk(Till { takes, ..self.till() })
    }

    /// Another till that reports to this counter.
    pub(super) fn till(&self) -> Till {
        till(&self.batches)
    }

    pub(super) fn charge(&self, amount: i64) -> ChargePoints {
        ChargePoints { user_id: self.user, amount: ChargeAmount::new(amount).unwrap(), idempotency_key: None }
    }

    /// Hands in charges together; answers for each the balance or the error in words.
    pub(super) async fn charge_all(&self, amounts: &[i64]) -> Vec<Result<i64, String>> {
        let outcomes = self.desk.submit_all(amounts.iter().map(|&amount| self.charge(amount)).collect()).await.unwrap();
        outcomes.into_iter().map(|outcome| outcome.map(|verdict| verdict.unwrap().krw()).map_err(|error| error.to_string())).collect()
    }

    /// The amounts that were charged, in the order of the ledger.
    pub(super) async fn ledger(&self) -> Vec<i64> {
        let mut snapshot = self.memory.snapshot().await.unwrap();
        snapshot.point_entries(None, u32::MAX).await.unwrap().iter().map(|entry| entry.change.amount.krw()).collect()
    }

    /// Hands in a charge and stops waiting at once.
    pub(super) async fn charge_and_leave(&self, amount: i64) {
        tokio::select! {
            biased;
            _ = self.desk.submit(self.charge(amount)) => unreachable!("nobody has worked yet"),
            () = std::future::ready(()) => {}
        }
    }
}

fn till(batches: &Arc<Mutex<Vec<Vec<i64>>>>) -> Till {
    Till { charge: Charge { clock: Arc::new(ManualClock::default()) }, batches: Arc::clone(batches), takes: Duration::ZERO }
}

use super::progress::ProgressBook;
use super::subscription::LogSubscription;
use crate::sqlite::SqliteStore;
use async_trait::async_trait;
use commerce_core::messaging::{BusError, Group, Message, MessageBus, StartAt, Subscription, Topic};
use commerce_core::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long an acknowledgement may stay in memory.
const SAVE_EVERY: Duration = Duration::from_millis(250);
/// How often to look how far a group of another process has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A message bus whose log is the outbox of a [`SqliteStore`]: what a unit of work appends is published by its commit.
///
/// Groups read committed rows in the order of their commits. What a group acknowledges is stored every 250 milliseconds, all groups in one
/// write; after a kill it is given some messages again, which the inbox recognises. Rows that another process appends to the same file
/// are found within a second.
pub struct EmbeddedBus {
    store: SqliteStore,
    progress: Arc<ProgressBook>,
    _saving: DropGuard,
}

impl EmbeddedBus {
    /// A bus over this store. It starts a task that stores acknowledgements until the bus is dropped, so that a tokio runtime is needed.
    pub fn new(store: SqliteStore) -> Self {
        let progress = Arc::new(ProgressBook::new(store.clone()));
        let stop = CancellationToken::new();
        tokio::spawn(save_now_and_then(Arc::clone(&progress), stop.clone()));
        Self { store, progress, _saving: stop.drop_guard() }
    }

    /// Stores what was acknowledged so far.
    ///
    /// # Errors
    /// [`BusError`] if it cannot be stored.
    pub async fn save(&self) -> Result<(), BusError> {
        self.progress.save().await.map_err(unavailable)
    }

    /// Waits until a group has handled everything that is in the log now, in whatever process it reads. Nobody may: bound the wait.
    ///
    /// # Errors
    /// [`BusError`] if the file cannot be read.
    pub async fn until_handled(&self, group: Group) -> Result<(), BusError> {
        let end = self.store.log_end().await.map_err(unavailable)?;
        while self.progress.acknowledged(group).await.map_err(unavailable)? < end {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

async fn save_now_and_then(progress: Arc<ProgressBook>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SAVE_EVERY)).await.is_some() {
        if let Err(error) = progress.save().await {
            tracing::warn!(%error, "cannot store what was acknowledged, trying again");
        }
    }
}

/// The error of the store as one of the bus.
pub(super) fn unavailable(error: StoreError) -> BusError {
    BusError(error.into())
}

#[async_trait]
impl MessageBus for EmbeddedBus {
    async fn publish(&self, _: &[Message]) -> Result<(), BusError> {
        Ok(())
    }

    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        let progress = match start {
            StartAt::Acknowledged => self.progress.durable(group).await,
            StartAt::Latest => self.progress.passing(group).await,
        };
        let progress = progress.map_err(unavailable)?;
        Ok(Box::new(LogSubscription::new(self.store.clone(), Arc::clone(&self.progress), progress, group, topics)))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError> {
        let after = self.progress.acknowledged(group).await.map_err(unavailable)?;
        self.store.log_len(after, group, topics).await.map_err(unavailable)
    }
}

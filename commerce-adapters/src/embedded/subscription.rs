use super::bus::unavailable;
use super::progress::{Progress, ProgressBook};
use crate::sqlite::SqliteStore;
use async_trait::async_trait;
use commerce_core::messaging::{BusError, Delivery, Group, OutboxRow, Source, Subscription, Topic};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::timeout;

/// How many rows are looked at in one go.
const ROWS_MAX: usize = 512;
/// How often to look for rows of other processes, which give no signal.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One reader of the log.
pub(super) struct LogSubscription {
    store: SqliteStore,
    book: Arc<ProgressBook>,
    progress: Arc<Progress>,
    group: Group,
    topics: Vec<Topic>,
    /// The right to read on behalf of the group; taken by the first poll.
    turn: Option<OwnedMutexGuard<()>>,
    /// The last row that was looked at.
    position: i64,
    /// Whether messages were handed out that are not acknowledged.
    outstanding: bool,
    commits: watch::Receiver<i64>,
}

impl LogSubscription {
    pub(super) fn new(store: SqliteStore, book: Arc<ProgressBook>, progress: Arc<Progress>, group: Group, topics: &[Topic]) -> Self {
        let (commits, position) = (store.subscribe_commits(), progress.acknowledged());
        Self { store, book, progress, group, topics: topics.to_vec(), turn: None, position, outstanding: false, commits }
    }

    async fn take_turn(&mut self) {
        if self.turn.is_none() {
            self.turn = Some(Arc::clone(&self.progress.turn).lock_owned().await);
            self.position = self.progress.acknowledged();
        }
    }

    /// Moves on over rows until `max` of them were for this group. Nothing is awaited here, so that a cancelled poll has moved nowhere.
    fn advance(&mut self, rows: &[Arc<OutboxRow>], max: usize) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for row in rows {
            if deliveries.len() == max {
                break;
            }
            self.position = row.row.get();
            deliveries.extend(self.delivery(row));
        }
        if deliveries.is_empty() && !self.outstanding {
            // Nobody will acknowledge rows that were passed over, and they must not count as unread for ever.
            self.progress.acknowledge(self.position);
        }
        self.outstanding |= !deliveries.is_empty();
        deliveries
    }

    fn delivery(&self, row: &OutboxRow) -> Option<Delivery> {
        let topic = self.topics.iter().copied().find(|topic| topic.name() == row.message.topic)?;
        let source = Source { topic, partition: 0, offset: row.row.get() };
        row.message.is_for(self.group).then(|| Delivery::new(source, row.message.clone()))
    }
}

#[async_trait]
impl Subscription for LogSubscription {
    async fn poll(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        self.take_turn().await;
        loop {
            // Seen before the rows are read: a commit in between wakes the wait below.
            self.commits.mark_unchanged();
            let rows = self.store.read_log(self.position, ROWS_MAX).await.map_err(unavailable)?;
            let deliveries = self.advance(&rows, max.max(1));
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            if rows.is_empty() {
                // Whether it was woken or not, it looks again.
                let _ = timeout(LOOK_EVERY, self.commits.changed()).await;
            }
        }
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        self.outstanding = false;
        self.progress.acknowledge(self.position);
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.book.save().await.map_err(unavailable)
    }
}

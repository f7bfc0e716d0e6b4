use super::{MessageBus, OutboxRow};
use crate::store::{Backoff, Random, Store, StoreError, Transaction, UnitOfWork, transact};
use crate::{Clock, EventId, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const CLAIM_ROWS_MAX: u32 = 500;
const LEASE: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How long a relay that is told to end goes on with what is left.
const LAST_ROUND: Duration = Duration::from_secs(5);
const PAUSE: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(5), attempts_max: u32::MAX };

/// Carries events from the outbox to a bus that does not read the outbox itself.
///
/// Rows are claimed with a lease, published outside any transaction, and marked as sent. A relay that dies in between leaves rows that another
/// one takes once the lease is over: an event may so travel twice, and consumers know it by its id.
pub struct Relay {
    store: Arc<dyn Store>,
    bus: Arc<dyn MessageBus>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    wake: Arc<Notify>,
}

impl Relay {
    /// A relay that looks when it is woken, and every second.
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn MessageBus>, clock: Arc<dyn Clock>, random: Arc<dyn Random>, wake: Arc<Notify>) -> Self {
        Self { store, bus, clock, random, wake }
    }

    /// Carries events until `stop`, and then what is left, for a moment at most: who ends leaves nothing for others to wait for.
    pub async fn run(self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pause = match self.carry_once().await {
                Ok(carried) => {
                    failures = 0;
                    if carried > 0 {
                        continue;
                    }
                    POLL_EVERY
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, failures, "carrying events again after a pause");
                    PAUSE.jitter(failures, self.random.as_ref())
                }
            };
            tokio::select! {
                biased;
                () = tokio::time::sleep(pause) => {}
                () = self.wake.notified() => {}
                () = stop.cancelled() => {}
            }
        }
        // What is not carried in time is carried by another relay, once its claim is over.
        let _late = timeout(LAST_ROUND, async { while self.carry_once().await.is_ok_and(|carried| carried > 0) {} }).await;
    }

    /// Carries one batch; answers how many events it was.
    ///
    /// # Errors
    /// Those of the store; [`StoreError::Unavailable`] if the bus did not take everything.
    pub async fn carry_once(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let rows = self.transact(Claim { now, until: now.plus(LEASE) }).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let (ids, messages): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.row, row.message)).unzip();
        self.bus.publish(&messages).await.map_err(|error| StoreError::Unavailable(error.0))?;
        self.transact(MarkSent { rows: &ids, now: self.clock.now() }).await?;
        Ok(ids.len())
    }

    async fn transact<T: Transaction>(&self, mut transaction: T) -> Result<T::Output, StoreError> {
        transact(self.store.as_ref(), Backoff::STORE, self.random.as_ref(), &mut transaction).await
    }
}

struct Claim {
    now: Timestamp,
    until: Timestamp,
}

#[async_trait]
impl Transaction for Claim {
    type Output = Vec<OutboxRow>;

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<Vec<OutboxRow>, StoreError> {
        uow.outbox().claim(self.now, self.until, CLAIM_ROWS_MAX).await
    }
}

struct MarkSent<'a> {
    rows: &'a [EventId],
    now: Timestamp,
}

#[async_trait]
impl Transaction for MarkSent<'_> {
    type Output = ();

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        uow.outbox().mark_sent(self.rows, self.now).await
    }
}

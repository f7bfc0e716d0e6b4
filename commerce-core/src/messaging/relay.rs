use super::{Claimed, MessageBus};
use crate::store::{Backoff, Random, Store, StoreError, Transaction, UnitOfWork, transact};
use crate::{Clock, EventId, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

const CLAIM_ROWS_MAX: u32 = 500;
/// How long rows are a relay's own; what a relay that died has claimed waits for so long.
const LEASE: Duration = Duration::from_secs(10);
/// How long after its claim a batch that the bus did not take is tried again: a try of five seconds then ends before the claim does.
const TRY_AGAIN_WITHIN: Duration = Duration::from_millis(4_500);
/// How long events gather after others were carried: the first one after a rest travels at once, and of those that come one after the other many
/// share a claim, a message to the bus and a turn of every consumer. The steps of a saga that share a commit wait for none of it.
const GATHER: Duration = Duration::from_millis(150);
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How long a relay that is told to end goes on with what is left.
const LAST_ROUND: Duration = Duration::from_secs(5);
const PAUSE: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(2), attempts_max: u32::MAX };
/// For rows that wait for another relay, which has usually carried what is before them within milliseconds.
const TURN: Backoff = Backoff { base: Duration::from_millis(4), cap: Duration::from_millis(250), attempts_max: u32::MAX };

/// Carries events from the outbox to a bus that does not read the outbox itself.
///
/// Rows are claimed with a lease, published outside any transaction, and marked as sent with the next claim. A relay that dies in between
/// leaves rows that another one takes once the lease is over: an event may so travel twice, and consumers know it by its id.
///
/// Any number of relays may run at once, in whatever processes. The store gives a row to a relay only when no other one has an earlier row of
/// the same aggregate, so that an event travels after all events of its aggregate that came before it, whoever carries them; only repetitions
/// come late.
pub struct Relay {
    store: Arc<dyn Store>,
    bus: Arc<dyn MessageBus>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    wake: Arc<Notify>,
}

/// What came of a turn.
enum Turn {
    /// Events were carried, and more are known to wait.
    More,
    /// Events were carried.
    Carried,
    /// What is left waits for other relays.
    HeldBack,
    /// Nothing is left.
    Idle,
}

impl Relay {
    /// A relay that looks when it is woken, and every second.
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn MessageBus>, clock: Arc<dyn Clock>, random: Arc<dyn Random>, wake: Arc<Notify>) -> Self {
        Self { store, bus, clock, random, wake }
    }

    /// Carries events until `stop`, and then what is left, for a moment at most: who ends leaves nothing for others to wait for.
    pub async fn run(self, stop: CancellationToken) {
        let (mut sent, mut failures, mut waits) = (Vec::new(), 0, 0);
        while !stop.is_cancelled() {
            let turn = self.turn(&mut sent).await;
            failures = if turn.is_err() { failures + 1 } else { 0 };
            waits = if matches!(turn, Ok(Turn::HeldBack)) { waits + 1 } else { 0 };
            let pause = match turn {
                Ok(Turn::More) => continue,
                Ok(Turn::Carried) => {
                    // Others wait for it: what they carry of the same aggregate comes behind it.
                    self.mark(&mut sent).await;
                    stop.run_until_cancelled(tokio::time::sleep(GATHER)).await;
                    continue;
                }
                Ok(Turn::HeldBack) => TURN.jitter(waits, self.random.as_ref()),
                Ok(Turn::Idle) => POLL_EVERY,
                Err(error) => {
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
        let _late = timeout(LAST_ROUND, async { while matches!(self.turn(&mut sent).await, Ok(Turn::Carried | Turn::More)) {} }).await;
    }

    /// Carries one batch; answers how many events it was.
    ///
    /// # Errors
    /// Those of the store; [`StoreError::Unavailable`] if the bus did not take everything.
    pub async fn carry_once(&self) -> Result<usize, StoreError> {
        let mut sent = Vec::new();
        self.turn(&mut sent).await?;
        if !sent.is_empty() {
            self.transact(Mark { sent: &sent, now: self.clock.now() }).await?;
        }
        Ok(sent.len())
    }

    /// Marks what was sent before and claims the next rows, in one unit of work, and publishes them: they are what was sent then.
    async fn turn(&self, sent: &mut Vec<EventId>) -> Result<Turn, StoreError> {
        let now = self.clock.now();
        let claimed = self.transact(Claim { mark: Mark { sent, now }, until: now.plus(LEASE) }).await;
        if claimed.as_ref().map_or_else(|error| !error.is_outage(), |_| true) {
            // They are marked, or cannot be, because they are gone.
            sent.clear();
        }
        let Claimed { rows, held_back } = claimed?;
        if rows.is_empty() {
            return Ok(if held_back { Turn::HeldBack } else { Turn::Idle });
        }
        let (ids, messages): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.row, row.message)).unzip();
        let (claimed_at, mut failures) = (Instant::now(), 0);
        while let Err(error) = self.bus.publish(&messages).await {
            failures += 1;
            let pause = PAUSE.jitter(failures, self.random.as_ref());
            if claimed_at.elapsed() + pause >= TRY_AGAIN_WITHIN {
                return Err(StoreError::Unavailable(error.0));
            }
            tracing::warn!(error = %error.0, failures, "publishing events again after a pause");
            tokio::time::sleep(pause).await;
        }
        metrics::counter!("commerce_events_published_total").increment(u64::try_from(ids.len()).unwrap_or(u64::MAX));
        let more = held_back || ids.len() >= CLAIM_ROWS_MAX as usize;
        *sent = ids;
        Ok(if more { Turn::More } else { Turn::Carried })
    }

    /// Marks what was sent; if that fails, it is marked with the next claim.
    async fn mark(&self, sent: &mut Vec<EventId>) {
        match self.transact(Mark { sent, now: self.clock.now() }).await {
            Ok(()) => sent.clear(),
            Err(error) => tracing::debug!(%error, "what was sent is marked later"),
        }
    }

    async fn transact<T: Transaction>(&self, mut transaction: T) -> Result<T::Output, StoreError> {
        transact(self.store.as_ref(), Backoff::STORE, self.random.as_ref(), &mut transaction).await
    }
}

struct Mark<'a> {
    sent: &'a [EventId],
    now: Timestamp,
}

#[async_trait]
impl Transaction for Mark<'_> {
    type Output = ();

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        uow.outbox().mark_sent(self.sent, self.now).await
    }
}

struct Claim<'a> {
    mark: Mark<'a>,
    until: Timestamp,
}

#[async_trait]
impl Transaction for Claim<'_> {
    type Output = Claimed;

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<Claimed, StoreError> {
        self.mark.run(uow).await?;
        uow.outbox().claim(self.mark.now, self.until, CLAIM_ROWS_MAX).await
    }
}

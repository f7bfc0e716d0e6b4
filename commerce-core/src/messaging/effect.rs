use super::bury::{Aside, Bury};
use super::reader::{BACKOFF, POLL_MESSAGES_MAX, read};
use super::work::{Work, topics, works};
use super::{Delivery, Envelope, EventType, Group, MessageBus, StartAt, Topic};
use crate::Clock;
use crate::store::{Desk, GroupCommit, Random};
use async_trait::async_trait;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Why an effect could not be had now: it is tried again.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EffectError(Box<dyn Error + Send + Sync>);

impl EffectError {
    /// Wraps what the effect's service said.
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self(error.into())
    }
}

/// What a group does with events outside the store.
#[async_trait]
pub trait Effect: Send + Sync + 'static {
    /// The group.
    fn group(&self) -> Group;

    /// The types of events it handles; others are skipped.
    fn handles(&self) -> &'static [EventType];

    /// Handles events. No inbox stands before it: it MUST make no difference if an event comes again.
    ///
    /// # Errors
    /// [`EffectError`] if some may not have taken effect: all of them come again.
    async fn apply(&self, events: &[Envelope]) -> Result<(), EffectError>;
}

/// Reads events on behalf of a group whose effects lie outside the store, and acknowledges them once they took effect: at least once each.
///
/// An event that cannot be read becomes a dead letter, and the rest goes on.
pub struct EffectConsumer<E> {
    effect: E,
    bury: Arc<Desk<Bury>>,
    bus: Arc<dyn MessageBus>,
    random: Arc<dyn Random>,
    gather: Duration,
}

impl<E: Effect> EffectConsumer<E> {
    /// A consumer that lets events gather for `gather` before it polls again, so that an effect that is dear and not urgent is had for many.
    pub fn new(
        effect: E,
        group_commit: &GroupCommit,
        bus: Arc<dyn MessageBus>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        gather: Duration,
    ) -> Self {
        let bury = group_commit.desk(Bury(Aside::new(effect.group(), clock, bus.as_ref())));
        Self { effect, bury, bus, random, gather }
    }

    /// The topics the group reads.
    pub fn topics(&self) -> Vec<Topic> {
        topics(self.effect.handles())
    }

    /// Reads and handles until `stop`; what is being handled then takes effect and is acknowledged first.
    pub async fn run(self, stop: CancellationToken) {
        let (group, handles) = (self.effect.group(), self.effect.handles());
        let (bus, random, halt) = (Arc::clone(&self.bus), Arc::clone(&self.random), stop.clone());
        let this = &self;
        let handle = move |deliveries: Vec<Delivery>| {
            // Where so much waits that a poll is full, more has gathered already.
            let gather = if deliveries.len() < POLL_MESSAGES_MAX { this.gather } else { Duration::ZERO };
            let (works, stop) = (works(group, deliveries, handles), halt.clone());
            async move { this.settle(works, gather, &stop).await }
        };
        read(bus, group, topics(handles), StartAt::Acknowledged, random, stop, handle).await;
    }

    /// Sees to it that every event took effect or is put aside; `false` if it was stopped before.
    async fn settle(&self, works: Vec<Work>, gather: Duration, stop: &CancellationToken) -> bool {
        let (mut events, mut buried) = (Vec::new(), Vec::new());
        for work in works {
            match work {
                Work::Handle { envelope, .. } => events.push(envelope),
                Work::Bury { .. } => buried.push(work),
            }
        }
        let mut failures = 0;
        while let Err(error) = self.attempt(&events, &buried).await {
            failures += 1;
            tracing::warn!(error, group = self.effect.group().name(), failures, "events take effect again after a pause");
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = tokio::time::sleep(BACKOFF.jitter(failures, self.random.as_ref())) => {}
            }
        }
        // When it is stopped, waiting has no use.
        let _stopped = stop.run_until_cancelled(tokio::time::sleep(gather)).await;
        true
    }

    async fn attempt(&self, events: &[Envelope], buried: &[Work]) -> Result<(), Box<dyn Error + Send + Sync>> {
        if !events.is_empty() {
            self.effect.apply(events).await?;
        }
        if !buried.is_empty() {
            self.bury.submit_all(buried.to_vec()).await?.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        Ok(())
    }
}

use super::bury::{Aside, Letter};
use super::reader::{BACKOFF, read};
use super::work::{Work, topics, works};
use super::{Delivery, Envelope, Event, EventType, Group, MessageBus, StartAt, Topic};
use crate::Clock;
use crate::store::{Desk, Follower, GroupCommit, Handler, Random, StoreError, UnitOfWork};
use async_trait::async_trait;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// An event that can never be handled: it is put aside with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejection(pub String);

/// What a group does with events, in a unit of work.
#[async_trait]
pub trait EventHandler: Send + Sync + 'static {
    /// The group.
    fn group(&self) -> Group;

    /// The types of events it handles; others are skipped.
    fn handles(&self) -> &'static [EventType];

    /// Whether an event of a type it handles is its business, as far as the event itself tells; others are skipped.
    fn concerns(_event: &Event) -> bool
    where
        Self: Sized,
    {
        true
    }

    /// Handles distinct events it has not handled before, and answers for each whether it could. It MUST also cope with an event whose effect
    /// is there already.
    ///
    /// # Errors
    /// Those of the store; the whole unit of work is rolled back then.
    async fn handle(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError>;
}

/// When the steps of a saga are taken by consumers that run in the process of the step before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SagaPace {
    /// In the unit of work of the step before, where one commit serves the whole chain. The events say which groups have handled them, so that they
    /// are passed over when they come by message.
    #[default]
    WithinCommit,
    /// Each when its event comes by message, in a unit of work of its own.
    ByMessage,
}

/// Reads events on behalf of a group and handles each exactly once: the inbox is written in the unit of work of the effect, and the place in
/// the log is acknowledged after the commit.
///
/// An outage is waited out, with full-jitter back-off. An event that cannot be read, that its handler rejects, or that breaks its batch even
/// when it is alone, becomes a dead letter, and the rest goes on.
pub struct Consumer<E: EventHandler> {
    desk: Arc<Desk<Inboxed<E>>>,
    group: Group,
    handles: &'static [EventType],
    bus: Arc<dyn MessageBus>,
    random: Arc<dyn Random>,
}

impl<E: EventHandler> Consumer<E> {
    /// A consumer whose effects are committed together with everything else that is under way.
    pub fn new(
        handler: E,
        group_commit: &GroupCommit,
        bus: Arc<dyn MessageBus>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        pace: SagaPace,
    ) -> Self {
        let (group, event_types, handler) = (handler.group(), handler.handles(), Arc::new(handler));
        if pace == SagaPace::WithinCommit {
            group_commit.chain(Arc::new(Following { handler: Arc::clone(&handler) }));
        }
        let desk = group_commit.desk(Inboxed { handler, aside: Aside::new(group, clock, bus.as_ref()) });
        Self { desk, group, handles: event_types, bus, random }
    }

    /// The topics the group reads.
    pub fn topics(&self) -> Vec<Topic> {
        topics(self.handles)
    }

    /// Reads and handles until `stop`; what is being handled then is committed and acknowledged first.
    pub async fn run(self, stop: CancellationToken) {
        let (group, bus, random) = (self.group, Arc::clone(&self.bus), Arc::clone(&self.random));
        let (desk, handles, backoff_random, halt) = (self.desk, self.handles, Arc::clone(&random), stop.clone());
        let handle = move |deliveries: Vec<Delivery>| {
            let (desk, random, stop) = (Arc::clone(&desk), Arc::clone(&backoff_random), halt.clone());
            let mut works = works(group, deliveries, handles);
            works.retain(|work| !matches!(work, Work::Handle { envelope, .. } if !E::concerns(&envelope.event)));
            async move { settle(&desk, works, random.as_ref(), &stop).await }
        };
        read(bus, group, topics(handles), StartAt::Acknowledged, random, stop, handle).await;
    }
}

/// Sees to it that every piece of work is done or put aside; `false` if it was stopped before.
async fn settle<E: EventHandler>(desk: &Desk<Inboxed<E>>, mut works: Vec<Work>, random: &dyn Random, stop: &CancellationToken) -> bool {
    let mut failures = 0;
    while !works.is_empty() {
        let outcomes = match desk.submit_all(works.clone()).await {
            Ok(outcomes) => outcomes,
            Err(error) => works.iter().map(|_| Err(Arc::clone(&error))).collect(),
        };
        failures += 1;
        works = works.into_iter().zip(outcomes).filter_map(|(work, outcome)| Some(work.after(outcome.err()?.as_ref(), failures))).collect();
        if works.is_empty() {
            break;
        }
        if stop.is_cancelled() {
            return false;
        }
        tokio::time::sleep(BACKOFF.jitter(failures, random)).await;
    }
    true
}

/// Lets `handler` handle the events that the units of work of `group_commit` append, each in the unit of work that appends it, and no others. When
/// they come by message, to whatever process reads them on behalf of its group, they are passed over.
pub(crate) fn follow_within_commit<E: EventHandler>(handler: E, group_commit: &GroupCommit) {
    group_commit.chain(Arc::new(Following { handler: Arc::new(handler) }));
}

/// Wraps an event handler with the inbox and the dead letters.
struct Inboxed<E> {
    handler: Arc<E>,
    aside: Aside,
}

#[async_trait]
impl<E: EventHandler> Handler for Inboxed<E> {
    type Command = Work;
    type Verdict = ();

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[Work]) -> Result<Vec<()>, StoreError> {
        let (mut letters, mut envelopes, mut handled) = (Vec::new(), Vec::new(), Vec::new());
        for work in self.aside.fresh(uow, batch).await? {
            match work {
                Work::Handle { envelope, message, source } => {
                    envelopes.push(envelope.clone());
                    handled.push((message, *source));
                }
                Work::Bury { message, source, reason, attempts } => {
                    letters.push(Letter { message, source: *source, reason: reason.clone(), attempts: *attempts });
                }
            }
        }
        if !envelopes.is_empty() {
            let outcomes = self.handler.handle(uow, &envelopes).await?;
            assert_eq!(outcomes.len(), envelopes.len(), "an event handler answers for each event");
            let rejected = handled.into_iter().zip(outcomes).filter_map(|(at, outcome)| outcome.err().map(|rejection| (at, rejection)));
            letters.extend(rejected.map(|((message, source), rejection)| Letter { message, source, reason: rejection.0, attempts: 1 }));
        }
        self.aside.put(uow, letters).await?;
        Ok(vec![(); batch.len()])
    }
}

/// Lets an event handler handle what its process appends: nobody else can know of it yet, so that there is nothing to be looked up in the inbox.
struct Following<E> {
    handler: Arc<E>,
}

#[async_trait]
impl<E: EventHandler> Follower for Following<E> {
    fn group(&self) -> Group {
        self.handler.group()
    }

    async fn follow(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<(), StoreError> {
        let handles = self.handler.handles();
        let concerned = |envelope: &&Envelope| handles.contains(&envelope.event.event_type()) && E::concerns(&envelope.event);
        let events: Vec<_> = events.iter().filter(concerned).cloned().collect();
        if events.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = events.iter().map(|envelope| envelope.id).collect();
        uow.outbox().handled(self.handler.group(), &ids).await?;
        let outcomes = self.handler.handle(uow, &events).await?;
        // What is to become a dead letter goes by message: it must not undo what led to it.
        outcomes.into_iter().collect::<Result<(), _>>().map_err(|rejection| StoreError::Backend(rejection.into()))
    }
}

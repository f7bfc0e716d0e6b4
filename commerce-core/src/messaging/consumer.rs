use super::{
    BusError, Delivery, Envelope, Event, EventType, Group, Message, MessageBus, NewDeadLetter, Source, StartAt, Subscription, Topic,
};
use crate::store::{Backoff, Desk, Follower, GroupCommit, Handler, Random, StoreError, UnitOfWork};
use crate::{Clock, EventId, Timestamp};
use async_trait::async_trait;
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) const POLL_MESSAGES_MAX: usize = 256;
const CONTENTION_ROUNDS_MAX: u32 = 5;
pub(super) const BACKOFF: Backoff = Backoff { base: Duration::from_millis(10), cap: Duration::from_secs(2), attempts_max: u32::MAX };

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
    /// In the unit of work of the step before, where one commit serves the whole chain. Each group's inbox notes the events, so that they are
    /// passed over when they come by message.
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
    desk: Arc<Desk<Arc<Inboxed<E>>>>,
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
        let (group, event_types) = (handler.group(), handler.handles());
        let inboxed = Arc::new(Inboxed { handler, clock });
        if pace == SagaPace::WithinCommit {
            group_commit.chain(Arc::clone(&inboxed) as _);
        }
        Self { desk: group_commit.desk(inboxed), group, handles: event_types, bus, random }
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

/// Lets `handler` handle the events that the units of work of `group_commit` append, each in the unit of work that appends it, and no others. When
/// they come by message, to whatever process reads them on behalf of its group, the inbox passes over them.
pub(crate) fn follow_within_commit<E: EventHandler>(handler: E, group_commit: &GroupCommit, clock: Arc<dyn Clock>) {
    group_commit.chain(Arc::new(Inboxed { handler, clock }));
}

/// Reads the events of `handles` that happen from now on and passes them to `effect`, until `stop`. The effect concerns the present process
/// only, so that nothing is kept about what was read; events that cannot be read are skipped.
pub async fn fan_out<F, Fut>(
    group: Group,
    handles: &'static [EventType],
    bus: Arc<dyn MessageBus>,
    random: Arc<dyn Random>,
    stop: CancellationToken,
    effect: F,
) where
    F: Fn(Vec<Envelope>) -> Fut + Send + Sync,
    Fut: Future<Output = ()> + Send,
{
    let handle = |deliveries: Vec<Delivery>| {
        let events = works(group, deliveries, handles).into_iter().filter_map(|work| match work {
            Work::Handle { envelope, .. } => Some(envelope),
            Work::Bury { .. } => None,
        });
        let effect = effect(events.collect());
        async move {
            effect.await;
            true
        }
    };
    read(bus, group, topics(handles), StartAt::Latest, random, stop, handle).await;
}

/// The topics of these types of events.
pub(crate) fn topics(handles: &[EventType]) -> Vec<Topic> {
    Topic::ALL.into_iter().filter(|topic| handles.iter().any(|event_type| event_type.topic() == *topic)).collect()
}

/// Polls, handles and acknowledges; subscribes anew after an error of the bus. `handle` answers whether everything was handled.
pub(super) async fn read<F, Fut>(
    bus: Arc<dyn MessageBus>,
    group: Group,
    topics: Vec<Topic>,
    start: StartAt,
    random: Arc<dyn Random>,
    stop: CancellationToken,
    handle: F,
) where
    F: Fn(Vec<Delivery>) -> Fut,
    Fut: Future<Output = bool>,
{
    let mut failures = 0;
    while !stop.is_cancelled() {
        let outcome = match bus.subscribe(group, &topics, start).await {
            Ok(subscription) => read_subscription(subscription, &stop, &handle, &mut failures).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            failures += 1;
            tracing::warn!(error = %error.0, group = group.name(), failures, "reading events again after a pause");
            tokio::select! {
                biased;
                () = tokio::time::sleep(BACKOFF.jitter(failures, random.as_ref())) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn read_subscription<F, Fut>(
    mut subscription: Box<dyn Subscription>,
    stop: &CancellationToken,
    handle: &F,
    failures: &mut u32,
) -> Result<(), BusError>
where
    F: Fn(Vec<Delivery>) -> Fut,
    Fut: Future<Output = bool>,
{
    loop {
        let deliveries = tokio::select! {
            biased;
            () = stop.cancelled() => return subscription.close().await,
            polled = subscription.poll(POLL_MESSAGES_MAX) => polled?,
        };
        *failures = 0;
        if !handle(deliveries).await {
            // Stopped before everything was handled: what was not acknowledged comes again.
            return Ok(());
        }
        subscription.acknowledge().await?;
    }
}

/// What is to be done about a message.
#[derive(Clone)]
pub(super) enum Work {
    /// Handle the event; the message is kept for the case that it cannot be.
    Handle { envelope: Envelope, message: Arc<Message>, source: Source },
    /// Put the message aside.
    Bury { message: Arc<Message>, source: Source, reason: String, attempts: u32 },
}

impl Work {
    fn event(&self) -> EventId {
        match self {
            Self::Handle { envelope, .. } => envelope.id,
            Self::Bury { message, .. } => message.id,
        }
    }
}

pub(super) fn works(group: Group, deliveries: Vec<Delivery>, handles: &[EventType]) -> Vec<Work> {
    let mut seen = HashSet::new();
    let work = |Delivery { source, message }: Delivery| {
        if message.only_for.is_some_and(|only| only != group) {
            return None;
        }
        // What this group has no business with is not its dead letter, readable or not.
        if EventType::parse(&message.event_type).is_some_and(|event_type| !handles.contains(&event_type)) {
            return None;
        }
        let message = Arc::new(message);
        match Envelope::decode(&message) {
            Ok(envelope) => Some(Work::Handle { envelope, message, source }),
            Err(error) => {
                let reason = std::error::Error::source(&error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
                Some(Work::Bury { message, source, reason, attempts: 1 })
            }
        }
    };
    deliveries.into_iter().filter_map(work).filter(|work| seen.insert(work.event())).collect()
}

/// Sees to it that every piece of work is done or put aside; `false` if it was stopped before.
async fn settle<E: EventHandler>(
    desk: &Desk<Arc<Inboxed<E>>>,
    mut works: Vec<Work>,
    random: &dyn Random,
    stop: &CancellationToken,
) -> bool {
    let mut failures = 0;
    while !works.is_empty() {
        let outcomes = match desk.submit_all(works.clone()).await {
            Ok(outcomes) => outcomes,
            Err(error) => works.iter().map(|_| Err(Arc::clone(&error))).collect(),
        };
        failures += 1;
        works =
            works.into_iter().zip(outcomes).filter_map(|(work, outcome)| Some(next_try(work, outcome.err()?.as_ref(), failures))).collect();
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

/// What is left to do after an error: wait out an outage, try contention a few times more, put aside what breaks alone.
fn next_try(work: Work, error: &StoreError, rounds: u32) -> Work {
    let hopeless = !error.is_outage() && (!error.is_contention() || rounds >= CONTENTION_ROUNDS_MAX);
    match work {
        Work::Handle { message, source, .. } if hopeless => Work::Bury { message, source, reason: error.to_string(), attempts: rounds },
        work => work,
    }
}

/// Wraps an event handler with the inbox and the dead letters.
struct Inboxed<E> {
    handler: E,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl<E: EventHandler> Handler for Inboxed<E> {
    type Command = Work;
    type Verdict = ();

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[Work]) -> Result<Vec<()>, StoreError> {
        let (group, now) = (self.handler.group(), self.clock.now());
        let ids: Vec<_> = batch.iter().map(Work::event).collect();
        let fresh: HashSet<_> = uow.inbox().record(group, &ids, now).await?.into_iter().collect();

        let mut letters = Vec::new();
        let mut envelopes = Vec::new();
        let mut handled = Vec::new();
        for work in batch.iter().filter(|work| fresh.contains(&work.event())) {
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
        put_aside(uow, group, letters, now).await?;
        Ok(batch.iter().map(|_| ()).collect())
    }
}

/// A message that becomes a dead letter.
struct Letter<'a> {
    message: &'a Message,
    source: Source,
    reason: String,
    attempts: u32,
}

async fn put_aside(uow: &mut dyn UnitOfWork, group: Group, letters: Vec<Letter<'_>>, at: Timestamp) -> Result<(), StoreError> {
    if letters.is_empty() {
        return Ok(());
    }
    let letter = |Letter { message, source, reason, attempts }: Letter<'_>| {
        tracing::error!(group = group.name(), event_id = %message.id, event_type = message.event_type, reason, "put an event aside");
        metrics::counter!("commerce_dead_letters_total", "group" => group.name()).increment(1);
        NewDeadLetter { group, message: message.clone(), source, reason, attempts, at }
    };
    uow.dead_letters().insert(&letters.into_iter().map(letter).collect::<Vec<_>>()).await
}

/// Puts messages aside for a group whose effects lie outside the store.
pub(super) struct Bury {
    pub(super) group: Group,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Bury {
    type Command = Work;
    type Verdict = ();

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[Work]) -> Result<Vec<()>, StoreError> {
        let now = self.clock.now();
        let ids: Vec<_> = batch.iter().map(Work::event).collect();
        let fresh: HashSet<_> = uow.inbox().record(self.group, &ids, now).await?.into_iter().collect();
        let letter = |work| match work {
            &Work::Bury { ref message, source, ref reason, attempts } if fresh.contains(&message.id) => {
                Some(Letter { message, source, reason: reason.clone(), attempts })
            }
            _ => None,
        };
        put_aside(uow, self.group, batch.iter().filter_map(letter).collect(), now).await?;
        Ok(vec![(); batch.len()])
    }
}

#[async_trait]
impl<E: EventHandler> Follower for Inboxed<E> {
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
        uow.inbox().record(self.handler.group(), &ids, self.clock.now()).await?;
        let outcomes = self.handler.handle(uow, &events).await?;
        // What is to become a dead letter goes by message: it must not undo what led to it.
        outcomes.into_iter().collect::<Result<(), _>>().map_err(|rejection| StoreError::Backend(rejection.into()))
    }
}

use super::bus::topic_names;
use super::probe::{ANSWER_MAX, Probe, Shape};
use super::told::Told;
use super::{ConnectError, KafkaOptions};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;
use tokio::time::Instant;

/// How long the brokers may take to make topics, and until all of them know.
const MAKE_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicState {
    /// What it is called on the brokers.
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many replicas its partitions have.
    pub replicas: usize,
    /// Whether it was there before.
    pub found: Found,
}

/// Whether a topic was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was made.
    Missing,
    /// It was there, as it should be.
    AsAsked,
    /// It was there with other counts, and was left as it is. With more partitions the messages of an aggregate would go on in another one than
    /// before, beside those that are not read yet: it is for an operator to say when that may be.
    Otherwise,
}

impl fmt::Display for TopicState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, partitions, replicas, found } = self;
        let counts = format!("{partitions} partitions of {replicas} replicas");
        match found {
            Found::Missing => write!(f, "{name}: made with {counts}"),
            Found::AsAsked => write!(f, "{name}: is there with {counts}"),
            Found::Otherwise => write!(f, "{name}: is there with {counts}, and was left as it is"),
        }
    }
}

/// Why topics could not be made; those before may have been.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    /// The brokers cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The brokers refuse.
    #[error("the topic {name} cannot be made: {reason}")]
    Refused {
        /// The topic.
        name: String,
        /// What they say.
        reason: String,
    },
    /// The topics are made, but not every broker says so yet.
    #[error("the topics were made, but the brokers do not show them yet: look again")]
    Hidden,
}

/// Makes the topics of a shop that do not exist, each with as many partitions and replicas; what exists is left as it is. It can be repeated.
///
/// # Errors
/// [`TopicsError`].
pub async fn create_topics(options: &KafkaOptions, partitions: NonZeroU16, replicas: NonZeroU16) -> Result<Vec<TopicState>, TopicsError> {
    let probe = Probe::open(options, None).map_err(ConnectError::from)?;
    let names = topic_names(options);
    let look = async || probe.shapes(names.clone()).await.map_err(|error| ConnectError::unreachable(options, &error));
    let before = look().await?;
    let missing: Vec<&str> = names.iter().zip(&before).filter(|(_, shape)| shape.is_none()).map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        make(options, &missing, partitions, replicas).await?;
    }
    let deadline = Instant::now() + MAKE_MAX;
    let after: Vec<Shape> = loop {
        if let Some(shapes) = look().await?.into_iter().collect() {
            break shapes;
        }
        if Instant::now() >= deadline {
            return Err(TopicsError::Hidden);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let asked = Shape { partitions: partitions.get().into(), replicas: replicas.get().into() };
    let state = |((name, before), shape): ((String, Option<Shape>), Shape)| {
        let found = match before {
            None => Found::Missing,
            Some(before) if before == asked => Found::AsAsked,
            Some(_) => Found::Otherwise,
        };
        TopicState { name, partitions: shape.partitions, replicas: shape.replicas, found }
    };
    Ok(names.into_iter().zip(before).zip(after).map(state).collect())
}

async fn make(options: &KafkaOptions, names: &[&str], partitions: NonZeroU16, replicas: NonZeroU16) -> Result<(), TopicsError> {
    let told = Told::default();
    let admin: AdminClient<Told> = options.client(&[], &[]).create_with_context(told.clone()).map_err(ConnectError::from)?;
    // A message that is acknowledged is in all replicas but one at least, so that a broker can be lost, and one that is down stops nobody.
    let in_step = (replicas.get() - 1).max(1).to_string();
    let topic = |name| {
        NewTopic::new(name, partitions.get().into(), TopicReplication::Fixed(replicas.get().into())).set("min.insync.replicas", &in_step)
    };
    let topics: Vec<_> = names.iter().copied().map(topic).collect();
    let patience = AdminOptions::new().operation_timeout(Some(MAKE_MAX)).request_timeout(Some(MAKE_MAX + ANSWER_MAX));
    let refused = |name: &str, reason: String| TopicsError::Refused { name: name.to_owned(), reason };
    let outcomes = admin.create_topics(&topics, &patience).await;
    let outcomes = outcomes.map_err(|error: KafkaError| refused(names.first().copied().unwrap_or_default(), told.reason(&error)))?;
    for outcome in outcomes {
        match outcome {
            // Somebody else was faster.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => return Err(refused(&name, code.to_string())),
        }
    }
    Ok(())
}

use super::{Group, Groups, Message, Source, Topic};
use crate::store::{Handler, StoreError, UnitOfWork};
use crate::{DeadLetterId, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// An event that a group cannot handle, on its way aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// The group.
    pub group: Group,
    /// The message as it came.
    pub message: Message,
    /// Where it was found.
    pub source: Source,
    /// Why it cannot be handled.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was put aside.
    pub at: Timestamp,
}

/// What tells of a dead letter where a copy of it travels; the rest of the copy is the message as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterCopy {
    /// The name of the group that could not handle it.
    pub group: String,
    /// The name of the topic it was found in.
    pub source_topic: String,
    /// The partition it was found in.
    pub source_partition: i32,
    /// Its place in the partition.
    pub source_offset: i64,
    /// Why it cannot be handled.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was put aside.
    pub at: Timestamp,
    /// The payload as it came.
    pub payload: String,
}

impl DeadLetterCopy {
    /// What an outbox row holds of a copy; `None` if the row is none.
    pub fn of(message: &Message) -> Option<Self> {
        let is_copy = Topic::ALL.iter().any(|topic| topic.dead_letter_name() == message.topic);
        if is_copy { serde_json::from_str(&message.payload).ok() } else { None }
    }
}

impl NewDeadLetter {
    /// The copy of the letter that travels: an outbox row has no place for what tells of it but its payload.
    pub(super) fn copy(&self) -> Message {
        let Self { group, ref message, source, ref reason, attempts, at } = *self;
        let Source { topic, partition: source_partition, offset: source_offset } = source;
        let copy = DeadLetterCopy {
            group: group.name().to_owned(),
            source_topic: topic.name().to_owned(),
            source_partition,
            source_offset,
            error: reason.clone(),
            attempts,
            at,
            payload: message.payload.clone(),
        };
        let payload = serde_json::to_string(&copy).expect("a copy has string keys only, so it can be written as JSON");
        Message { topic: topic.dead_letter_name().to_owned(), payload, ..message.clone() }
    }
}

/// An event that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The id.
    pub id: DeadLetterId,
    /// What was put aside, and why.
    pub letter: NewDeadLetter,
    /// When it was sent to its group again.
    pub replayed_at: Option<Timestamp>,
}

/// The dead letters of a unit of work.
#[async_trait]
pub trait DeadLetterRepository: Send {
    /// Puts events aside. A letter of the same group and event that was not replayed MUST NOT be added again.
    async fn insert(&mut self, letters: &[NewDeadLetter]) -> Result<(), StoreError>;

    /// A letter, locked until the unit of work ends.
    async fn lock(&mut self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError>;

    /// Marks a letter as sent to its group again.
    async fn mark_replayed(&mut self, id: DeadLetterId, now: Timestamp) -> Result<(), StoreError>;
}

/// Sends a dead letter to its group again.
#[derive(Debug, Clone, Copy)]
pub struct ReplayDeadLetter {
    /// The letter.
    pub id: DeadLetterId,
    /// When.
    pub now: Timestamp,
}

/// The use case "replay". The verdict is `false` for a letter that does not exist or was replayed already.
pub struct ReplayDeadLetters;

#[async_trait]
impl Handler for ReplayDeadLetters {
    type Command = ReplayDeadLetter;
    type Verdict = bool;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[ReplayDeadLetter]) -> Result<Vec<bool>, StoreError> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for command in batch {
            let letter = uow.dead_letters().lock(command.id).await?.filter(|letter| letter.replayed_at.is_none());
            verdicts.push(letter.is_some());
            if let Some(DeadLetter { letter: NewDeadLetter { group, message, .. }, .. }) = letter {
                uow.inbox().forget(group, message.id).await?;
                uow.outbox().append_again(&Message { only_for: Some(group), handled_by: Groups::default(), ..message }).await?;
                uow.dead_letters().mark_replayed(command.id, command.now).await?;
            }
        }
        Ok(verdicts)
    }
}

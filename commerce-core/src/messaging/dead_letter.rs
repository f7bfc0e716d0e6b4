use super::{Group, Message, Source};
use crate::store::{Handler, StoreError, UnitOfWork};
use crate::{DeadLetterId, Timestamp};
use async_trait::async_trait;

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
                uow.outbox().append_again(&Message { only_for: Some(group), ..message }).await?;
                uow.dead_letters().mark_replayed(command.id, command.now).await?;
            }
        }
        Ok(verdicts)
    }
}

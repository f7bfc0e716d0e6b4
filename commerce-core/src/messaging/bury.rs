use super::work::Work;
use super::{Group, Message, MessageBus, NewDeadLetter, Source};
use crate::Clock;
use crate::store::{Handler, StoreError, UnitOfWork};
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;

/// A message that becomes a dead letter.
pub(super) struct Letter<'a> {
    pub(super) message: &'a Message,
    pub(super) source: Source,
    pub(super) reason: String,
    pub(super) attempts: u32,
}

/// Where a group puts aside what it cannot handle.
pub(super) struct Aside {
    group: Group,
    clock: Arc<dyn Clock>,
    /// Whether copies travel too.
    copies: bool,
}

impl Aside {
    pub(super) fn new(group: Group, clock: Arc<dyn Clock>, bus: &dyn MessageBus) -> Self {
        Self { group, clock, copies: bus.has_dead_letter_topics() }
    }

    /// Notes that the group sees to these pieces of work, and answers those it had not noted before.
    pub(super) async fn fresh<'w>(&self, uow: &mut dyn UnitOfWork, batch: &'w [Work]) -> Result<Vec<&'w Work>, StoreError> {
        let ids: Vec<_> = batch.iter().map(Work::event).collect();
        let fresh: HashSet<_> = uow.inbox().record(self.group, &ids, self.clock.now()).await?.into_iter().collect();
        Ok(batch.iter().filter(|work| fresh.contains(&work.event())).collect())
    }

    /// Writes dead letters, and their copies into the outbox of the same unit of work.
    pub(super) async fn put(&self, uow: &mut dyn UnitOfWork, letters: Vec<Letter<'_>>) -> Result<(), StoreError> {
        if letters.is_empty() {
            return Ok(());
        }
        let (group, at) = (self.group, self.clock.now());
        let letter = |Letter { message, source, reason, attempts }: Letter<'_>| {
            tracing::error!(group = group.name(), event_id = %message.id, event_type = message.event_type, reason, "put an event aside");
            metrics::counter!("commerce_dead_letters_total", "group" => group.name()).increment(1);
            NewDeadLetter { group, message: message.clone(), source, reason, attempts, at }
        };
        let letters: Vec<_> = letters.into_iter().map(letter).collect();
        uow.dead_letters().insert(&letters).await?;
        for letter in letters.iter().filter(|_| self.copies) {
            uow.outbox().append_again(&letter.copy()).await?;
        }
        Ok(())
    }
}

/// Puts messages aside for a group whose effects lie outside the store.
pub(super) struct Bury(pub(super) Aside);

#[async_trait]
impl Handler for Bury {
    type Command = Work;
    type Verdict = ();

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[Work]) -> Result<Vec<()>, StoreError> {
        let mut letters = Vec::new();
        for work in self.0.fresh(uow, batch).await? {
            if let Work::Bury { message, source, reason, attempts } = work {
                letters.push(Letter { message, source: *source, reason: reason.clone(), attempts: *attempts });
            }
        }
        self.0.put(uow, letters).await?;
        Ok(vec![(); batch.len()])
    }
}

use super::messages;
use super::statements::{execute, fetch, insert_new};
use super::{Backend, Fields, SqlUnitOfWork};
use async_trait::async_trait;
use commerce_core::messaging::{DeadLetter, DeadLetterRepository, Group, NewDeadLetter, Source, Topic};
use commerce_core::store::StoreError;
use commerce_core::{DeadLetterId, Timestamp};
use sqlx::QueryBuilder;

/// Selects dead letters, up to the WHERE; read by [`read`].
pub(super) const SELECT: &str = "SELECT id, group_name, event_id, event_type, version, topic, aggregate_type, aggregate_id, occurred_at, \
     correlation, trace_parent, only_for, payload, source_topic, source_partition, source_offset, reason, attempts, created_at, \
     replayed_at FROM dead_letters";

/// Reads what [`SELECT`] selects.
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<DeadLetter, StoreError> {
    let id = row.whole()?;
    let letter = NewDeadLetter {
        group: row.word(Group::named)?,
        message: messages::read(row)?,
        source: Source { topic: row.word(Topic::named)?, partition: row.whole()?, offset: row.int()? },
        reason: row.text()?,
        attempts: row.whole()?,
        at: row.at()?,
    };
    Ok(DeadLetter { id, letter, replayed_at: row.opt_at()? })
}

#[async_trait]
impl<DB: Backend> DeadLetterRepository for SqlUnitOfWork<DB> {
    async fn insert(&mut self, letters: &[NewDeadLetter]) -> Result<(), StoreError> {
        let columns = format!(
            "group_name, open_event_id, event_id, {}, source_topic, source_partition, source_offset, reason, attempts, created_at",
            messages::COLUMNS
        );
        let added = insert_new(self.link(), ["dead_letters", "event_id"], &columns, letters, |mut row, letter| {
            row.push_bind(letter.group.name());
            row.push_bind(letter.message.id.get());
            row.push_bind(letter.message.id.get());
            messages::bind::<DB>(&mut row, &letter.message);
            row.push_bind(letter.source.topic.name());
            row.push_bind(i64::from(letter.source.partition));
            row.push_bind(letter.source.offset);
            row.push_bind(letter.reason.clone());
            row.push_bind(i64::from(letter.attempts));
            row.push_bind(letter.at.millis());
        });
        added.await
    }

    async fn lock(&mut self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        let mut query = QueryBuilder::<DB>::new(SELECT);
        query.push(" WHERE id = ").push_bind(id.get()).push(self.for_update());
        Ok(fetch(self.link(), query, read).await?.pop())
    }

    async fn mark_replayed(&mut self, id: DeadLetterId, now: Timestamp) -> Result<(), StoreError> {
        let mut query = QueryBuilder::<DB>::new("UPDATE dead_letters SET open_event_id = NULL, replayed_at = ");
        query.push_bind(now.millis()).push(" WHERE id = ").push_bind(id.get());
        if execute(self.link(), query).await? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }
}

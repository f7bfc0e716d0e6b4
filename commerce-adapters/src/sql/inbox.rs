use super::statements::{VALUES_MAX, execute, fetch, insert, push_list};
use super::{Backend, SqlUnitOfWork, read_whole};
use async_trait::async_trait;
use commerce_core::messaging::{Group, InboxRepository};
use commerce_core::store::StoreError;
use commerce_core::{EventId, Timestamp};
use sqlx::QueryBuilder;
use std::collections::HashSet;

/// That a group handles an event.
pub(super) struct Noted {
    group: Group,
    event: EventId,
    at: Timestamp,
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Writes what waits to be noted.
    pub(super) async fn write_notes(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.unnoted);
        let added = insert(self.link(), "inbox", "group_name, event_id, handled_at", &waiting, |mut row, noted| {
            row.push_bind(noted.group.name());
            row.push_bind(noted.event.get());
            row.push_bind(noted.at.millis());
        });
        added.await.map(drop)
    }
}

#[async_trait]
impl<DB: Backend> InboxRepository for SqlUnitOfWork<DB> {
    async fn record(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<Vec<EventId>, StoreError> {
        self.write_notes().await?;
        let mut fresh = Vec::with_capacity(events.len());
        for piece in events.chunks(VALUES_MAX) {
            let ids: Vec<i64> = piece.iter().map(|event| event.get()).collect();
            let mut query = QueryBuilder::<DB>::new("SELECT event_id FROM inbox WHERE group_name = ");
            query.push_bind(group.name()).push(" AND event_id IN");
            push_list(&mut query, &ids);
            let seen: HashSet<EventId> = fetch(self.link(), query, read_whole).await?.into_iter().collect();
            fresh.extend(piece.iter().filter(|event| !seen.contains(event)));
        }
        // Another unit of work can have noted one of them since they were looked for. It is a duplicate then: handled again from the start, the
        // event is not fresh any more.
        self.note(group, &fresh, now).await?;
        self.write_notes().await?;
        Ok(fresh)
    }

    async fn note(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<(), StoreError> {
        self.unnoted.extend(events.iter().map(|event| Noted { group, event: *event, at: now }));
        Ok(())
    }

    async fn forget(&mut self, group: Group, event: EventId) -> Result<(), StoreError> {
        self.write_notes().await?;
        let mut query = QueryBuilder::<DB>::new("DELETE FROM inbox WHERE group_name = ");
        query.push_bind(group.name()).push(" AND event_id = ").push_bind(event.get());
        execute(self.link(), query).await.map(drop)
    }
}

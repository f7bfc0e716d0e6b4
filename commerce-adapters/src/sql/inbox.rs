use super::statements::{VALUES_MAX, execute, fetch, insert, push_list};
use super::{Backend, SqlUnitOfWork, read_whole};
use async_trait::async_trait;
use commerce_core::messaging::{Group, InboxRepository};
use commerce_core::store::StoreError;
use commerce_core::{EventId, Timestamp};
use sqlx::QueryBuilder;
use std::collections::HashSet;

#[async_trait]
impl<DB: Backend> InboxRepository for SqlUnitOfWork<DB> {
    async fn record(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<Vec<EventId>, StoreError> {
        let mut fresh = Vec::<EventId>::with_capacity(events.len());
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
        let noted = insert(self.link(), "inbox", "group_name, event_id, handled_at", &fresh, |mut row, event| {
            row.push_bind(group.name());
            row.push_bind(event.get());
            row.push_bind(now.millis());
        });
        noted.await?;
        Ok(fresh)
    }

    async fn forget(&mut self, group: Group, event: EventId) -> Result<(), StoreError> {
        let mut query = QueryBuilder::<DB>::new("DELETE FROM inbox WHERE group_name = ");
        query.push_bind(group.name()).push(" AND event_id = ").push_bind(event.get());
        execute(self.link(), query).await.map(drop)
    }
}

use super::State;
use crate::messaging::{Group, InboxRepository};
use crate::store::StoreError;
use crate::{EventId, Timestamp};
use async_trait::async_trait;

#[async_trait]
impl InboxRepository for State {
    async fn record(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<Vec<EventId>, StoreError> {
        self.begin_to_write().await?;
        let mut new = Vec::new();
        for &event in events {
            if !self.inbox.contains_key(&(group, event)) {
                self.inbox.insert((group, event), now);
                new.push(event);
            }
        }
        Ok(new)
    }

    async fn forget(&mut self, group: Group, event: EventId) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        self.inbox.remove(&(group, event));
        Ok(())
    }
}

use super::State;
use super::state::{OutboxEntry, rows};
use crate::messaging::{Claimed, Envelope, Message, NewEvent, OutboxRepository, OutboxRow};
use crate::store::StoreError;
use crate::{EventId, Timestamp};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;

#[async_trait]
impl OutboxRepository for State {
    async fn append(&mut self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for event in events {
            let id = self.next_id()?;
            self.put_out(id, event.encode(id));
            let NewEvent { occurred_at, trace_parent, event } = event;
            self.appended.push(Envelope { id, occurred_at, trace_parent, event });
        }
        Ok(())
    }

    async fn appended(&mut self) -> Result<Vec<Envelope>, StoreError> {
        Ok(std::mem::take(&mut self.appended))
    }

    async fn append_again(&mut self, message: &Message) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        let row = self.next_id()?;
        self.put_out(row, message.clone());
        Ok(())
    }

    async fn claim(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Claimed, StoreError> {
        self.begin_to_write().await?;
        let (mut claimed, mut with_others) = (Claimed::default(), BTreeSet::new());
        for &row in &self.unsent {
            if claimed.rows.len() == rows(limit) {
                break;
            }
            let Some(entry) = self.outbox.get_mut(&row) else { continue };
            let aggregate = (entry.message.topic.clone(), entry.message.aggregate_id);
            if entry.claimed_until.is_some_and(|claimed_until| claimed_until > now) {
                with_others.insert(aggregate);
            } else if with_others.contains(&aggregate) {
                claimed.held_back = true;
            } else {
                entry.claimed_until = Some(until);
                claimed.rows.push(OutboxRow { row, message: Message::clone(&entry.message) });
            }
        }
        Ok(claimed)
    }

    async fn mark_sent(&mut self, rows: &[EventId], now: Timestamp) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for row in rows {
            if let Some(entry) = self.outbox.get_mut(row) {
                entry.sent_at = Some(now);
                self.unsent.remove(row);
            }
        }
        Ok(())
    }
}

impl State {
    fn put_out(&mut self, row: EventId, message: Message) {
        self.outbox.insert(row, OutboxEntry { message: Arc::new(message), claimed_until: None, sent_at: None });
        self.unsent.insert(row);
    }
}

use super::State;
use super::state::{OutboxEntry, rows};
use crate::messaging::{Claimed, Envelope, Group, Message, NewEvent, OutboxRepository, OutboxRow};
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
        let waits = |envelope: &&Envelope| self.outbox.get(&envelope.id).is_some_and(|entry| entry.claimed_until.is_none());
        let new = self.appended[self.told..].iter().filter(waits).cloned().collect();
        self.told = self.appended.len();
        Ok(new)
    }

    async fn handled(&mut self, group: Group, events: &[EventId]) -> Result<(), StoreError> {
        for event in events {
            let of_this_unit = self.appended.iter().any(|envelope| envelope.id == *event);
            let entry = self.outbox.get_mut(event).filter(|entry| of_this_unit && entry.claimed_until.is_none());
            let entry = entry.ok_or_else(|| StoreError::Backend(format!("event {event} is not one that was just appended").into()))?;
            Arc::make_mut(&mut entry.message).handled_by.insert(group);
        }
        Ok(())
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

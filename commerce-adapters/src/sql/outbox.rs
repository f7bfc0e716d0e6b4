use super::messages::{self, SELECT_ROWS};
use super::statements::{VALUES_MAX, execute, fetch, insert, push_list};
use super::{Backend, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::messaging::{Claimed, Envelope, Group, Message, NewEvent, OutboxRepository, OutboxRow};
use commerce_core::store::StoreError;
use commerce_core::{EventId, ID_MAX, Timestamp};
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};

/// How many times a claim looks behind rows whose turn it is not.
const CLAIM_WINDOWS_MAX: usize = 8;

/// An event that is about to be written.
pub(super) struct Unwritten {
    /// The id it has already; without one it is given that of its row.
    id: Option<EventId>,
    /// The event, under that id or, until it is written, [that of its place](id_of_place).
    message: Message,
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Writes the events that wait.
    pub(super) async fn write_events(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.unwritten);
        self.told = 0;
        let columns = format!("event_id, handled_by, {}", messages::COLUMNS);
        let ids = insert(self.link(), "outbox", &columns, &waiting, |mut row, Unwritten { id, message }| {
            row.push_bind(id.map(EventId::get));
            row.push_bind((!message.handled_by.is_empty()).then(|| message.handled_by.to_string()));
            messages::bind::<DB>(&mut row, message);
        });
        for (seq, Unwritten { id, message }) in ids.await?.into_iter().zip(waiting) {
            let row = EventId::new(seq).map_err(corrupt)?;
            self.written.push(OutboxRow { row, message: Message { id: id.unwrap_or(row), ..message } });
        }
        Ok(())
    }
}

/// The id by which an event is known until it is written, by its place in its unit of work. The store counts from the other end.
fn id_of_place(place: usize) -> Result<EventId, StoreError> {
    EventId::new(ID_MAX - i64::try_from(place).unwrap_or(i64::MAX)).map_err(corrupt)
}

#[async_trait]
impl<DB: Backend> OutboxRepository for SqlUnitOfWork<DB> {
    async fn append(&mut self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        for event in events {
            let message = event.encode(id_of_place(self.places)?);
            self.places += 1;
            self.unwritten.push(Unwritten { id: None, message });
        }
        Ok(())
    }

    async fn appended(&mut self) -> Result<Vec<Envelope>, StoreError> {
        let new = self.unwritten[self.told..].iter().filter(|event| event.id.is_none());
        let events = new.map(|event| Envelope::decode(&event.message)).collect::<Result<_, _>>().map_err(corrupt);
        self.told = self.unwritten.len();
        events
    }

    async fn handled(&mut self, group: Group, events: &[EventId]) -> Result<(), StoreError> {
        let mut left: HashSet<_> = events.iter().collect();
        for Unwritten { message, .. } in self.unwritten.iter_mut().filter(|event| event.id.is_none() && left.remove(&event.message.id)) {
            message.handled_by.insert(group);
        }
        let unknown = left.into_iter().next().map(|event| StoreError::Backend(format!("event {event} does not wait to be written").into()));
        unknown.map_or(Ok(()), Err)
    }

    async fn append_again(&mut self, message: &Message) -> Result<(), StoreError> {
        self.unwritten.push(Unwritten { id: Some(message.id), message: message.clone() });
        Ok(())
    }

    async fn claim(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Claimed, StoreError> {
        self.write_events().await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut claimed, mut after) = (Claimed::default(), 0);
        // One window is the rule. Where another relay has the head of a long queue, the rows behind it are looked at, too.
        for _ in 0..CLAIM_WINDOWS_MAX {
            let wanted = limit - claimed.rows.len();
            let found = self.unclaimed(after, now, wanted).await?;
            let (Some(last), full) = (found.last().map(|row| row.row.get()), found.len() == wanted) else { break };
            let held_back = take_turns(&mut claimed.rows, found, self.unsent_before(last).await?);
            claimed.held_back |= held_back;
            if !(full && held_back) {
                break;
            }
            after = last;
        }
        self.update_rows("claimed_until", until, claimed.rows.iter().map(|row| row.row)).await?;
        Ok(claimed)
    }

    async fn mark_sent(&mut self, rows: &[EventId], now: Timestamp) -> Result<(), StoreError> {
        self.update_rows("sent_at", now, rows.iter().copied()).await
    }
}

/// An unsent row: what it is about, and its place.
type Unsent = (String, i64, EventId);

/// Takes over those of the rows found before which none of their aggregate waits that is not taken over, too; answers whether some were left.
/// `unsent` are all that wait before the last one found.
fn take_turns(rows: &mut Vec<OutboxRow>, found: Vec<OutboxRow>, unsent: Vec<Unsent>) -> bool {
    let mine: HashSet<EventId> = rows.iter().chain(&found).map(|row| row.row).collect();
    let mut first_of_others = HashMap::new();
    for (topic, aggregate_id, row) in unsent.into_iter().filter(|(_, _, row)| !mine.contains(row)) {
        let first = first_of_others.entry((topic, aggregate_id)).or_insert(row);
        *first = row.min(*first);
    }
    let before = rows.len() + found.len();
    rows.extend(found.into_iter().filter(|OutboxRow { row, message }| {
        let aggregate = (message.topic.clone(), message.aggregate_id);
        first_of_others.get(&aggregate).is_none_or(|first| row < first)
    }));
    rows.len() < before
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Unsent rows that nobody has claimed until after `now`, ascending and locked; those that are locked already are passed over.
    async fn unclaimed(&mut self, after: i64, now: Timestamp, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let mut query = QueryBuilder::<DB>::new(SELECT_ROWS);
        query.push(DB::by_index("outbox_unsent")).push(" WHERE sent_at IS NULL AND seq > ").push_bind(after);
        query.push(" AND (claimed_until IS NULL OR claimed_until <= ").push_bind(now.millis());
        query.push(") ORDER BY seq LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX)).push(DB::SKIP_LOCKED);
        fetch(self.link(), query, messages::read_row).await
    }

    /// Every unsent row before `seq`, whoever has claimed or locked it.
    async fn unsent_before(&mut self, seq: i64) -> Result<Vec<Unsent>, StoreError> {
        let mut query = QueryBuilder::<DB>::new("SELECT topic, aggregate_id, seq FROM outbox");
        query.push(DB::by_index("outbox_unsent")).push(" WHERE sent_at IS NULL AND seq < ").push_bind(seq).push(" ORDER BY seq");
        fetch(self.link(), query, |row| Ok((row.text()?, row.int()?, row.whole()?))).await
    }

    async fn update_rows(&mut self, column: &str, at: Timestamp, rows: impl Iterator<Item = EventId>) -> Result<(), StoreError> {
        let mut ids: Vec<i64> = rows.map(EventId::get).collect();
        ids.sort_unstable();
        ids.dedup();
        for piece in ids.chunks(VALUES_MAX) {
            let mut query = QueryBuilder::<DB>::new("UPDATE outbox SET ");
            query.push(column).push(" = ").push_bind(at.millis()).push(" WHERE seq IN");
            push_list(&mut query, piece);
            if usize::try_from(execute(self.link(), query).await?) != Ok(piece.len()) {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }
}

use super::messages::{self, SELECT_ROWS};
use super::statements::{VALUES_MAX, execute, fetch, insert, push_list};
use super::{Backend, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::messaging::{Envelope, Message, NewEvent, OutboxRepository, OutboxRow};
use commerce_core::store::StoreError;
use commerce_core::{EventId, Timestamp};
use sqlx::QueryBuilder;

/// The id of an event the store has not given one yet.
const UNKNOWN: i64 = 1;

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Writes the events that wait. A message without an id of its own is given that of its row.
    pub(super) async fn write_events(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.unwritten);
        let columns = format!("event_id, {}", messages::COLUMNS);
        let ids = insert(self.link(), "outbox", &columns, &waiting, |mut row, (id, message)| {
            row.push_bind(id.map(EventId::get));
            messages::bind::<DB>(&mut row, message);
        });
        for (seq, (id, message)) in ids.await?.into_iter().zip(waiting) {
            let row = EventId::new(seq).map_err(corrupt)?;
            self.written.push(OutboxRow { row, message: Message { id: id.unwrap_or(row), ..message } });
        }
        Ok(())
    }
}

#[async_trait]
impl<DB: Backend> OutboxRepository for SqlUnitOfWork<DB> {
    async fn append(&mut self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        let unknown = EventId::new(UNKNOWN).map_err(corrupt)?;
        self.unwritten.extend(events.iter().map(|event| (None, event.encode(unknown))));
        Ok(())
    }

    async fn appended(&mut self) -> Result<Vec<Envelope>, StoreError> {
        self.write_events().await?;
        let events = self.written[self.asked..].iter().filter(|row| row.row == row.message.id);
        let events = events.map(|row| Envelope::decode(&row.message)).collect::<Result<_, _>>().map_err(corrupt);
        self.asked = self.written.len();
        events
    }

    async fn append_again(&mut self, message: &Message) -> Result<(), StoreError> {
        self.unwritten.push((Some(message.id), message.clone()));
        Ok(())
    }

    async fn claim(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.write_events().await?;
        let mut query = QueryBuilder::<DB>::new(SELECT_ROWS);
        query
            .push(DB::by_index("outbox_unsent"))
            .push(" WHERE sent_at IS NULL AND (claimed_until IS NULL OR claimed_until <= ")
            .push_bind(now.millis());
        query.push(") ORDER BY seq LIMIT ").push_bind(i64::from(limit)).push(DB::SKIP_LOCKED);
        let rows = fetch(self.link(), query, messages::read_row).await?;
        self.update_rows("claimed_until", until, rows.iter().map(|row| row.row)).await?;
        Ok(rows)
    }

    async fn mark_sent(&mut self, rows: &[EventId], now: Timestamp) -> Result<(), StoreError> {
        self.write_events().await?;
        self.update_rows("sent_at", now, rows.iter().copied()).await
    }
}

impl<DB: Backend> SqlUnitOfWork<DB> {
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

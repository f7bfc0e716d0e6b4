//! The outbox as the log of the embedded bus, and how far each group has read it.

use super::SqliteStore;
use crate::sql::messages::{SELECT_ROWS, read_row};
use crate::sql::read_whole;
use crate::sql::statements::fetch;
use commerce_core::messaging::{Group, OutboxRow, Topic};
use commerce_core::store::StoreError;
use sqlx::{QueryBuilder, Sqlite};
use std::sync::Arc;

const SAVE_OFFSETS: [&str; 2] =
    ["INSERT INTO bus_offsets (group_name, seq) ", " ON CONFLICT (group_name) DO UPDATE SET seq = MAX(seq, excluded.seq)"];

impl SqliteStore {
    /// At most `limit` committed rows behind `after`, ascending: from memory if they were committed just now, else from the file.
    pub(crate) async fn read_log(&self, after: i64, limit: usize) -> Result<Vec<Arc<OutboxRow>>, StoreError> {
        let recent = self.commits().following(after, limit);
        if !recent.is_empty() {
            return Ok(recent);
        }
        let mut query = QueryBuilder::<Sqlite>::new(SELECT_ROWS);
        query.push(" WHERE seq > ").push_bind(after);
        query.push(" ORDER BY seq LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        fetch(self.reads().link().await?.as_mut(), query, |row| read_row(row).map(Arc::new)).await
    }

    /// The last committed row, also if it was deleted since; 0 if there never was one.
    pub(crate) async fn log_end(&self) -> Result<i64, StoreError> {
        let end = QueryBuilder::<Sqlite>::new("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
        Ok(fetch(self.reads().link().await?.as_mut(), end, read_whole).await?.pop().unwrap_or(0))
    }

    /// How many rows of these topics behind `after` are for a group.
    pub(crate) async fn log_len(&self, after: i64, group: Group, topics: &[Topic]) -> Result<u64, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT COUNT(*) FROM outbox WHERE seq > ");
        query.push_bind(after).push(" AND (only_for IS NULL OR only_for = ").push_bind(group.name()).push(") AND topic IN (");
        let mut list = query.separated(", ");
        for topic in topics {
            list.push_bind(topic.name());
        }
        query.push(")");
        Ok(fetch(self.reads().link().await?.as_mut(), query, read_whole).await?.pop().unwrap_or(0))
    }

    /// How far a group has acknowledged; `None` if it never read.
    pub(crate) async fn offset(&self, group: Group) -> Result<Option<i64>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT seq FROM bus_offsets WHERE group_name = ");
        query.push_bind(group.name());
        Ok(fetch(self.reads().link().await?.as_mut(), query, read_whole).await?.pop())
    }

    /// Stores how far groups have acknowledged. An offset never goes back.
    pub(crate) async fn save_offsets(&self, offsets: &[(Group, i64)]) -> Result<(), StoreError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let [head, tail] = SAVE_OFFSETS;
        let mut query = QueryBuilder::<Sqlite>::new(head);
        let bind = |mut row: crate::sql::backend::Row<'_, Sqlite>, (group, seq): &(Group, i64)| {
            row.push_bind(group.name());
            row.push_bind(*seq);
        };
        query.push_values(offsets, bind).push(tail);
        self.execute_alone(query).await.map(drop)
    }
}

use super::MysqlStore;
use crate::sql::read_whole;
use crate::sql::statements::{VALUES_MAX, execute, fetch, push_list};
use commerce_core::Timestamp;
use commerce_core::messaging::Group;
use commerce_core::store::StoreError;
use sqlx::{MySql, QueryBuilder};

// As in the other dialect, every statement looks at the first rows of its table only. What is to go is read first and deleted by its key then: the
// servers do not agree which other way reads no more than that. A row that is old and done with stays so in between.

impl MysqlStore {
    /// Deletes in many transactions, so that others write in between. The outbox comes first: the inbox is cut by what it still holds.
    pub(super) async fn purge_rows(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut deleted = self.delete("outbox", "seq", sent(before, limit)).await?;
        let mut rest = limit;
        for group in Group::ALL {
            let gone = self.delete_handled(group, before, rest).await?;
            rest = rest.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            deleted += gone;
        }
        deleted += self.delete("coupon_requests", "task_id", decided(before, limit)).await?;
        deleted += self.delete("idempotency_records", "id", answered(before, limit)).await?;
        deleted += self.delete("dead_letters", "id", replayed(before, limit)).await?;
        Ok(deleted)
    }

    async fn delete(&self, table: &str, key: &str, chosen: QueryBuilder<MySql>) -> Result<u64, StoreError> {
        let mut link = self.connections().lend().await?;
        let ids: Vec<i64> = fetch(&mut link, chosen, read_whole).await?;
        let mut deleted = 0;
        for piece in ids.chunks(VALUES_MAX) {
            let mut query = QueryBuilder::new(format!("DELETE FROM {table} WHERE {key} IN"));
            push_list(&mut query, piece);
            deleted += execute(&mut link, query).await?;
        }
        Ok(deleted)
    }

    /// Rows of the inbox whose event cannot come again: it is gone from the outbox, in every row. The smallest row that is left tells, but for events
    /// that were sent again: they are found by their own id.
    async fn delete_handled(&self, group: Group, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut link = self.connections().lend().await?;
        let mut chosen = QueryBuilder::new("SELECT event_id FROM (SELECT event_id, handled_at FROM inbox WHERE group_name = ");
        chosen.push_bind(group.name()).push(" AND event_id < (SELECT COALESCE(MIN(seq), 9223372036854775807) FROM outbox)");
        chosen.push(" ORDER BY event_id LIMIT ").push_bind(i64::from(limit)).push(") aged WHERE handled_at < ").push_bind(before.millis());
        chosen.push(" AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = aged.event_id)");
        let ids: Vec<i64> = fetch(&mut link, chosen, read_whole).await?;
        let mut deleted = 0;
        for piece in ids.chunks(VALUES_MAX) {
            let mut query = QueryBuilder::new("DELETE FROM inbox WHERE group_name = ");
            query.push_bind(group.name()).push(" AND event_id IN");
            push_list(&mut query, piece);
            deleted += execute(&mut link, query).await?;
        }
        Ok(deleted)
    }
}

/// Rows that a relay has sent.
fn sent(before: Timestamp, limit: u32) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new("SELECT seq FROM (SELECT seq, occurred_at, sent_at FROM outbox WHERE seq > 0 ORDER BY seq LIMIT ");
    query.push_bind(i64::from(limit)).push(") aged WHERE sent_at IS NOT NULL AND occurred_at < ").push_bind(before.millis());
    query
}

/// Requests that are decided: whoever was told of one has had the time to learn its outcome.
fn decided(before: Timestamp, limit: u32) -> QueryBuilder<MySql> {
    let first = "SELECT task_id FROM (SELECT task_id, status, admitted_at FROM coupon_requests WHERE task_id > 0 ORDER BY task_id LIMIT ";
    let mut query = QueryBuilder::new(first);
    query.push_bind(i64::from(limit)).push(") aged WHERE status <> 'PENDING' AND admitted_at < ").push_bind(before.millis());
    query
}

fn answered(before: Timestamp, limit: u32) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new("SELECT id FROM (SELECT id, created_at FROM idempotency_records WHERE id > 0 ORDER BY id LIMIT ");
    query.push_bind(i64::from(limit)).push(") aged WHERE created_at < ").push_bind(before.millis());
    query
}

fn replayed(before: Timestamp, limit: u32) -> QueryBuilder<MySql> {
    let mut query = QueryBuilder::new("SELECT id FROM dead_letters WHERE replayed_at < ");
    query.push_bind(before.millis()).push(" ORDER BY replayed_at LIMIT ").push_bind(i64::from(limit));
    query
}

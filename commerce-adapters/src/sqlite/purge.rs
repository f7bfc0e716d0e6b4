use super::SqliteStore;
use super::error::store_error;
use commerce_core::Timestamp;
use commerce_core::messaging::Group;
use commerce_core::store::StoreError;

// Every statement looks at the first rows of its table only, so that its cost has a bound. Rows are added in the order of time, but for a
// few that are changed later: they are passed over, and deleted once they are old themselves.

/// Delivered rows: sent by a relay, or acknowledged by every group that reads the outbox itself.
pub(super) const OUTBOX: &str = "DELETE FROM outbox WHERE seq IN (SELECT seq FROM (SELECT seq, occurred_at, sent_at FROM outbox WHERE seq > 0 \
     ORDER BY seq LIMIT ?2) WHERE occurred_at < ?1 AND (sent_at IS NOT NULL OR seq <= (SELECT COALESCE(MIN(seq), 0) FROM bus_offsets)))";

/// Rows whose event cannot come again: it is gone from the outbox, in every row. The smallest row that is left tells, but for events that
/// were sent again: they are found by their own id.
pub(super) const INBOX: &str = "DELETE FROM inbox WHERE group_name = ?3 AND event_id IN (SELECT event_id FROM (SELECT event_id, handled_at FROM inbox \
     WHERE group_name = ?3 AND event_id < (SELECT COALESCE(MIN(seq), 9223372036854775807) FROM outbox) ORDER BY event_id LIMIT ?2) aged \
     WHERE handled_at < ?1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event_id = aged.event_id))";

pub(super) const IDEMPOTENCY: &str = "DELETE FROM idempotency_records WHERE id IN (SELECT id FROM (SELECT id, created_at FROM idempotency_records \
     WHERE id > 0 ORDER BY id LIMIT ?2) WHERE created_at < ?1)";

pub(super) const DEAD_LETTERS: &str =
    "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE replayed_at < ?1 ORDER BY replayed_at LIMIT ?2)";

/// Requests that are decided: whoever was told of one has had the time to learn its outcome.
pub(super) const COUPON_REQUESTS: &str = "DELETE FROM coupon_requests WHERE task_id IN (SELECT task_id FROM (SELECT task_id, status, admitted_at \
     FROM coupon_requests WHERE task_id > 0 ORDER BY task_id LIMIT ?2) WHERE status <> 'PENDING' AND admitted_at < ?1)";

impl SqliteStore {
    /// Deletes in several transactions, so that others write in between. The outbox comes first: the inbox is cut by what it still holds.
    pub(super) async fn purge_rows(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut deleted = self.delete(OUTBOX, before, limit, None).await?;
        let mut rest = limit;
        for group in Group::ALL {
            let gone = self.delete(INBOX, before, rest, Some(group)).await?;
            rest = rest.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            deleted += gone;
        }
        deleted += self.delete(COUPON_REQUESTS, before, limit, None).await?;
        deleted += self.delete(IDEMPOTENCY, before, limit, None).await?;
        deleted += self.delete(DEAD_LETTERS, before, limit, None).await?;
        Ok(deleted)
    }

    async fn delete(&self, statement: &'static str, before: Timestamp, limit: u32, group: Option<Group>) -> Result<u64, StoreError> {
        let mut writer = self.writer().await?;
        writer.settle().await?;
        let mut query = sqlx::query(statement).bind(before.millis()).bind(i64::from(limit));
        if let Some(group) = group {
            query = query.bind(group.name());
        }
        Ok(query.execute(writer.connection()).await.map_err(store_error)?.rows_affected())
    }
}

use super::SqliteStore;
use super::error::store_error;
use commerce_core::store::{IdBlock, StoreError};
use commerce_core::{ID_MAX, Sequence};

const LEASE: &str = "INSERT INTO sequences (name, next_id) VALUES (?1, 1 + ?2) \
     ON CONFLICT (name) DO UPDATE SET next_id = next_id + ?2 RETURNING next_id - ?2";

impl SqliteStore {
    /// One statement is a transaction of its own, and one that writes is immediate.
    pub(super) async fn lease(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        let mut writer = self.writer().await?;
        writer.settle().await?;
        let lease = sqlx::query_scalar(LEASE).bind(sequence.name()).bind(i64::from(len));
        let first: i64 = lease.fetch_one(writer.connection()).await.map_err(store_error)?;
        if first.saturating_add(i64::from(len)) > ID_MAX {
            return Err(StoreError::Backend(format!("the ids of sequence {} are used up", sequence.name()).into()));
        }
        Ok(IdBlock { first, len })
    }
}

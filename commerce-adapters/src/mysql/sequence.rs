use super::MysqlStore;
use crate::sql::{Backend, Link, answer, settle};
use commerce_core::store::{IdBlock, StoreError};
use commerce_core::{ID_MAX, Sequence};
use sqlx::MySql;

/// One statement, which is a transaction of its own; the server tells in its answer what `LAST_INSERT_ID` was given.
const LEASE: &str = "INSERT INTO sequences (name, next_id) VALUES (?, LAST_INSERT_ID(1 + ?)) \
     ON DUPLICATE KEY UPDATE next_id = LAST_INSERT_ID(next_id + ?)";

impl MysqlStore {
    pub(super) async fn lease(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        let mut link = self.connections().lend().await?;
        let lease = sqlx::query(LEASE).bind(sequence.name()).bind(i64::from(len)).bind(i64::from(len));
        let leased = answer(link.patience(), lease.execute(link.start()?)).await;
        let end = MySql::last_id(&settle(&mut link, leased)?);
        if end > ID_MAX {
            return Err(StoreError::Backend(format!("the ids of sequence {} are used up", sequence.name()).into()));
        }
        Ok(IdBlock { first: end - i64::from(len), len })
    }
}

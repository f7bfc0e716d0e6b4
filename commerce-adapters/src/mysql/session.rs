use super::error::store_error;
use super::lent::Lent;
use crate::sql::{Link, Session};
use async_trait::async_trait;
use commerce_core::messaging::OutboxRow;
use commerce_core::store::StoreError;
use sqlx::Row;
use sqlx::mysql::MySql;

/// A server of a cluster may give every n-th id only, and how many that is can change while it runs.
const BEGIN: &str = "START TRANSACTION; SELECT CAST(@@SESSION.auto_increment_increment AS SIGNED)";

/// A connection in a transaction.
pub(crate) struct MysqlSession(Lent);

impl MysqlSession {
    /// Begins a transaction.
    pub(super) async fn begin(mut lent: Lent) -> Result<Self, StoreError> {
        let rows = lent.begin(BEGIN).await?;
        lent.id_step = rows.first().map_or(Ok(1), |row| row.try_get(0)).map_err(store_error)?;
        Ok(Self(lent))
    }
}

#[async_trait]
impl Session<MySql> for MysqlSession {
    fn link(&mut self) -> &mut dyn Link<MySql> {
        &mut self.0
    }

    async fn commit(self, _written: Vec<OutboxRow>) -> Result<(), StoreError> {
        self.0.commit().await
    }
}

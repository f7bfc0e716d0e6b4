use super::lent::Lent;
use crate::sql::{Link, Session};
use async_trait::async_trait;
use commerce_core::messaging::OutboxRow;
use commerce_core::store::StoreError;
use sqlx::mysql::MySql;

/// A connection in a transaction.
pub(crate) struct MysqlSession(Lent);

impl MysqlSession {
    /// Begins a transaction.
    pub(super) async fn begin(mut lent: Lent) -> Result<Self, StoreError> {
        lent.begin("START TRANSACTION").await?;
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

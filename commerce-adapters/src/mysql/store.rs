use super::connections::Connections;
use super::session::MysqlSession;
use super::{MysqlOptions, schema};
use crate::sql::{Lasting, OpenError, SchemaState, SqlQueries, SqlSnapshot, SqlUnitOfWork};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::store::{IdBlock, Queries, Store, StoreError, UnitOfWork};
use commerce_core::{Sequence, Timestamp};
use sqlx::MySql;
use std::sync::Arc;
use std::time::Duration;

/// The present moment for as long as the transaction lasts, without a lock that others would notice: so the server can wait while an audit looks
/// elsewhere.
const BEGIN_SNAPSHOT: &str = "SET SESSION /*!80000 wait_timeout = 600 */ /*M! idle_transaction_timeout = 600 */; \
     SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// An audit reads whole tables.
const AUDIT_STATEMENT_MAX: Duration = Duration::from_mins(10);

/// The store in a database of a MySQL or MariaDB server. Cloning it is cheap: the clones share their connections.
#[derive(Clone)]
pub struct MysqlStore {
    connections: Connections,
    queries: Arc<SqlQueries<MySql>>,
    lasting: Lasting,
}

impl MysqlStore {
    /// Connects to a database whose schema is the program's.
    ///
    /// # Errors
    /// [`OpenError::SchemaOlder`] or [`OpenError::SchemaNewer`] if it is not, and those of the store.
    pub async fn connect(options: &MysqlOptions) -> Result<Self, OpenError> {
        Self::schema_state(options).await?.require_current()?;
        let connections = Connections::new(options);
        Ok(Self { queries: Arc::new(SqlQueries::new(connections.clone())), connections, lasting: Lasting::new() })
    }

    /// Compares the schema of a database with the one this program works with, without changing it. A database that does not exist is new.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schema_state(options: &MysqlOptions) -> Result<SchemaState, StoreError> {
        schema::state(options).await
    }

    /// Brings the schema of a database up to date. The database is made if it does not exist and the user may make one; nothing else outside of
    /// it is touched. `progress` is told how many steps are done, and how many there are. Processes that do this at the same time wait for each other,
    /// and a step that was broken off is taken up again.
    ///
    /// # Errors
    /// [`OpenError::SchemaNewer`] for a database of a newer program, [`OpenError::Migration`] for a step that failed, and those of the store.
    pub async fn migrate(options: &MysqlOptions, progress: impl FnMut(usize, usize)) -> Result<(), OpenError> {
        schema::migrate(options, progress).await
    }

    /// Waits for units of work and reads under way and closes the connections. What is still used afterwards answers [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.queries.close().await;
    }

    async fn session(&self) -> Result<MysqlSession, StoreError> {
        MysqlSession::begin(self.connections.lend().await?).await
    }

    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }
}

#[async_trait]
impl Store for MysqlStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(SqlUnitOfWork::<MySql>::new(self.session().await?, self.lasting.clone())))
    }

    async fn begin_unlocked(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(SqlUnitOfWork::<MySql>::unlocked(self.session().await?, self.lasting.clone())))
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        self.lease(sequence, len).await
    }

    fn queries(&self) -> &dyn Queries {
        self.queries.as_ref()
    }

    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError> {
        let mut lent = self.connections.lend().await?.set_apart(AUDIT_STATEMENT_MAX);
        lent.begin(BEGIN_SNAPSHOT).await?;
        Ok(Box::new(SqlSnapshot::<MySql>::new(Box::new(lent))))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.queries.has_users().await.map(drop)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.purge_rows(before, limit).await
    }
}

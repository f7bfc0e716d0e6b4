use super::SqliteOptions;
use super::commits::Commits;
use super::error::store_error;
use super::schema::{self, OpenError, SchemaState};
use super::session::SqliteSession;
use super::writer::Writer;
use crate::sql::{SqlQueries, SqlSnapshot, SqlUnitOfWork};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::store::{IdBlock, Queries, Store, StoreError, UnitOfWork};
use commerce_core::{Sequence, Timestamp};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions, Connection, Executor, Sqlite};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::timeout;

/// How many connections read.
const READERS: u32 = 4;
/// How long to wait for a connection that others use.
const WAIT: Duration = Duration::from_secs(10);

/// The store in one SQLite file. Cloning it is cheap: the clones share their connections.
#[derive(Clone)]
pub struct SqliteStore {
    options: Arc<SqliteOptions>,
    writer: Arc<Mutex<Writer>>,
    commits: Arc<Commits>,
    queries: Arc<SqlQueries<Sqlite>>,
}

impl SqliteStore {
    /// Opens the file, makes it if it does not exist, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError::SchemaNewer`] for a file of a newer program, and those of the store.
    pub async fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        let mut writer = Writer::connect(options.writer().create_if_missing(true)).await?;
        schema::migrate(writer.connection()).await?;
        Ok(Self::with(writer, options))
    }

    /// Opens a file whose schema is up to date, and leaves it as it is.
    ///
    /// # Errors
    /// [`OpenError::SchemaOlder`] for a file that has to be brought up to date first, [`OpenError::SchemaNewer`] for one of a newer
    /// program, and those of the store.
    pub async fn open_current(options: SqliteOptions) -> Result<Self, OpenError> {
        let mut writer = Writer::connect(options.writer()).await?;
        schema::require_current(writer.connection()).await?;
        Ok(Self::with(writer, options))
    }

    fn with(writer: Writer, options: SqliteOptions) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.reader());
        Self {
            options: Arc::new(options),
            writer: Arc::new(Mutex::new(writer)),
            commits: Arc::new(Commits::new()),
            queries: Arc::new(SqlQueries::new(pool)),
        }
    }

    /// Compares the schema of a file with the one this program works with, without changing it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no such file, and those of the store.
    pub async fn schema_state(options: &SqliteOptions) -> Result<SchemaState, StoreError> {
        let mut connection = options.writer().connect().await.map_err(store_error)?;
        let state = schema::state(&mut connection).await;
        connection.close().await.map_err(store_error)?;
        state
    }

    /// Brings the schema of a file up to date and closes it again. The file is made if it does not exist.
    ///
    /// # Errors
    /// [`OpenError::SchemaNewer`] for a file of a newer program, and those of the store.
    pub async fn migrate(options: &SqliteOptions) -> Result<(), OpenError> {
        let mut connection = options.writer().create_if_missing(true).connect().await.map_err(store_error)?;
        let migrated = schema::migrate(&mut connection).await;
        connection.close().await.map_err(store_error)?;
        migrated
    }

    /// The version of the schema of the file.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        schema::version(&mut *self.queries.connection().await?).await
    }

    /// A signal that changes after each commit of this process that wrote events; its value is the last row of the outbox then.
    pub fn subscribe_commits(&self) -> watch::Receiver<i64> {
        self.commits.subscribe()
    }

    /// Waits for the unit of work under way, copies the log back into the file and closes the readers. What is still used afterwards
    /// answers [`StoreError::Unavailable`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.queries.close().await;
        let mut writer = self.writer().await?;
        writer.settle().await?;
        writer.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").await.map(drop).map_err(store_error)
    }

    /// The writer, once nobody else has it.
    pub(super) async fn writer(&self) -> Result<OwnedMutexGuard<Writer>, StoreError> {
        let waited = timeout(WAIT, Arc::clone(&self.writer).lock_owned()).await;
        waited.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))
    }

    pub(super) fn commits(&self) -> &Commits {
        &self.commits
    }

    pub(super) fn reads(&self) -> &SqlQueries<Sqlite> {
        &self.queries
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let session = SqliteSession::begin(self.writer().await?, Arc::clone(&self.commits)).await?;
        Ok(Box::new(SqlUnitOfWork::<Sqlite>::new(session)))
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        self.lease(sequence, len).await
    }

    fn queries(&self) -> &dyn Queries {
        self.queries.as_ref()
    }

    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError> {
        let mut connection = self.options.reader().connect().await.map_err(store_error)?;
        connection.execute("BEGIN").await.map_err(store_error)?;
        // A read transaction begins to see one moment with the first row it reads.
        connection.execute("SELECT COUNT(*) FROM bus_offsets").await.map_err(store_error)?;
        Ok(Box::new(SqlSnapshot::<Sqlite>::new(connection)))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.queries.has_users().await.map(drop)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.purge_rows(before, limit).await
    }
}

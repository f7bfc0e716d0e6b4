use super::commits::Commits;
use super::error::store_error;
use super::schema;
use super::session::SqliteSession;
use super::writer::Writer;
use super::{Migrate, SqliteOptions};
use crate::sql::statements::execute;
use crate::sql::{Lasting, OpenError, SchemaState, SqlQueries, SqlSnapshot, SqlUnitOfWork};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::store::{IdBlock, Queries, Store, StoreError, UnitOfWork, Writers};
use commerce_core::{Sequence, Timestamp};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{ConnectOptions, Connection, Executor, QueryBuilder, Sqlite};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::timeout;

const READER_WAIT: Duration = Duration::from_secs(10);

/// The store in one SQLite file. Cloning it is cheap: the clones share their connections.
#[derive(Clone)]
pub struct SqliteStore {
    options: Arc<SqliteOptions>,
    writer: Arc<Mutex<Writer>>,
    commits: Arc<Commits>,
    queries: Arc<SqlQueries<Sqlite>>,
    lasting: Lasting,
}

impl SqliteStore {
    /// Opens the file, and brings its schema up to date if the options say so.
    ///
    /// # Errors
    /// [`OpenError::SchemaNewer`] for a file of a newer program, [`OpenError::SchemaOlder`] for one of an older program that is not to be
    /// changed, and those of the store.
    pub async fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        if options.migrate == Migrate::Yes {
            make_private(&options.path)?;
        }
        let mut writer = Writer::connect(options.writer()).await?;
        match options.migrate {
            Migrate::Yes => schema::migrate(writer.connection()).await?,
            Migrate::No => schema::require_current(writer.connection()).await?,
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .acquire_timeout(READER_WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.reader());
        Ok(Self {
            options: Arc::new(options),
            writer: Arc::new(Mutex::new(writer)),
            commits: Arc::new(Commits::new()),
            queries: Arc::new(SqlQueries::new(pool)),
            lasting: Lasting::new(),
        })
    }

    /// Compares the schema of a file with the one this program works with, without changing it. A file that does not exist is made.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schema_state(options: &SqliteOptions) -> Result<SchemaState, StoreError> {
        make_private(&options.path)?;
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
        make_private(&options.path)?;
        let mut connection = options.writer().connect().await.map_err(store_error)?;
        let migrated = schema::migrate(&mut connection).await;
        connection.close().await.map_err(store_error)?;
        migrated
    }

    /// A signal that changes after each commit of this process that wrote events; its value is the last row of the outbox then.
    pub fn subscribe_commits(&self) -> watch::Receiver<i64> {
        self.commits.subscribe()
    }

    /// Waits for the unit of work under way and closes the readers. What is still used afterwards answers [`StoreError::Unavailable`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.queries.close().await;
        let mut writer = self.writer().await?;
        writer.settle().await
    }

    /// Copies the log back into the file. It makes other processes that use the file wait.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        writer.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").await.map(drop).map_err(store_error)
    }

    /// The writer, once nobody else has it.
    pub(super) async fn writer(&self) -> Result<OwnedMutexGuard<Writer>, StoreError> {
        let waited = timeout(self.options.begin_timeout, Arc::clone(&self.writer).lock_owned()).await;
        waited.map_err(|elapsed| StoreError::Unavailable(elapsed.into()))
    }

    /// Begins a transaction on the writer.
    pub(super) async fn session(&self) -> Result<SqliteSession, StoreError> {
        SqliteSession::begin(self.writer().await?, Arc::clone(&self.commits)).await
    }

    /// Runs one statement on the writer, a transaction of its own; answers how many rows it changed.
    pub(super) async fn execute_alone(&self, query: QueryBuilder<Sqlite>) -> Result<u64, StoreError> {
        let mut writer = self.writer().await?;
        writer.settle().await?;
        execute(writer.connection(), query).await
    }

    #[cfg(feature = "embedded")]
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
        Ok(Box::new(SqlUnitOfWork::<Sqlite>::new(self.session().await?, self.lasting.clone())))
    }

    fn writers(&self) -> Writers {
        // A transaction holds the file's only lock for writers from its begin.
        Writers::One
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
        Ok(Box::new(SqlSnapshot::<Sqlite>::new(Box::new(connection))))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.queries.has_users().await.map(drop)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.purge_rows(before, limit).await
    }
}

/// Makes an empty database that only its owner can read, unless there is one: it holds the hashes of passwords. The files that SQLite keeps
/// beside it are made like it.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(StoreError::Unavailable(error.into())),
        _ => Ok(()),
    }
}

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::path::PathBuf;
use std::time::Duration;

/// Statements of a connection that stay prepared; every table has some nine sizes of each kind of statement.
const STATEMENTS_MAX: usize = 1024;
/// 64 MiB of pages in memory, in KiB and negative, as SQLite wants it.
const WRITER_CACHE: &str = "-65536";
/// The log is copied back once it has this many pages of 4 KiB.
const CHECKPOINT_PAGES: &str = "4000";
/// A log that grew past 64 MiB, because a reader kept it from being copied back, is cut again.
const LOG_BYTES_MAX: &str = "67108864";

/// What is left of a commit when the machine loses power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Everything: a commit waits for the disk. A process that is killed loses nothing with either.
    #[default]
    Full,
    /// Everything up to some moment: the last commits may be gone. The file stays sound.
    Relaxed,
}

/// What to do with a schema that is older than the program, or not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Migrate {
    /// Bring it up to date.
    #[default]
    Yes,
    /// Leave it alone and refuse to open the file.
    No,
}

/// How to open a store.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file; its directory must exist. Two more files are kept beside it.
    pub path: PathBuf,
    /// What a commit waits for.
    pub durability: Durability,
    /// Whether an old schema is brought up to date.
    pub migrate: Migrate,
    /// For how long a statement waits for another process that writes to the same file. Five seconds if nobody says.
    pub busy_timeout: Duration,
    /// For how long a unit of work waits for the others of this process. Ten seconds if nobody says.
    pub begin_timeout: Duration,
    /// How many connections read. Four if nobody says.
    pub readers: u32,
}

impl SqliteOptions {
    /// A store in the file at `path`, which is made if it does not exist, with full durability.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::default(),
            migrate: Migrate::default(),
            busy_timeout: Duration::from_secs(5),
            begin_timeout: Duration::from_secs(10),
            readers: 4,
        }
    }

    fn common(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .foreign_keys(false)
            .busy_timeout(self.busy_timeout)
            .statement_cache_capacity(STATEMENTS_MAX)
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging()
    }

    pub(super) fn writer(&self) -> SqliteConnectOptions {
        let synchronous = match self.durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Relaxed => SqliteSynchronous::Normal,
        };
        self.common()
            .create_if_missing(self.migrate == Migrate::Yes)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", LOG_BYTES_MAX)
            .thread_name(|_| "sqlite-writer".to_owned())
    }

    pub(super) fn reader(&self) -> SqliteConnectOptions {
        self.common().read_only(true).thread_name(|id| format!("sqlite-reader-{id}"))
    }
}

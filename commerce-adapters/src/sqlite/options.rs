use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::path::PathBuf;
use std::time::Duration;

/// Statements of a connection that stay prepared; every table has some nine sizes of each kind of statement.
const STATEMENTS_MAX: usize = 1024;
/// How long a statement waits for another process that writes to the same file.
const BUSY_WAIT: Duration = Duration::from_secs(3);
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

/// How to open a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The file; its directory must exist. Two more files are kept beside it while it is open.
    pub path: PathBuf,
    /// What a commit waits for.
    pub durability: Durability,
}

impl SqliteOptions {
    /// A store in the file at `path`, with full durability.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), durability: Durability::default() }
    }

    fn common(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .foreign_keys(false)
            .busy_timeout(BUSY_WAIT)
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

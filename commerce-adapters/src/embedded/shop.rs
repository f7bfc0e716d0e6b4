use super::{EmbeddedBus, InProcessCache, InProcessLocks, InProcessNotifier};
use crate::clock::SystemClock;
use crate::password::Argon2Hasher;
use crate::random::ThreadRandom;
use crate::sqlite::{self, SqliteBoard, SqliteOptions, SqliteStore};
use commerce_core::coupon::InProcessGate;
use commerce_core::messaging::{BusError, Group};
use commerce_core::store::{HiLo, StoreError};
use commerce_core::user::PasswordError;
use commerce_core::{Clock, Parts};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a shop in a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process handles the events of this file.
    #[error("another process runs the shop in {}: stop it, or use another file", .0.display())]
    InUse(PathBuf),
    /// The file that tells of a running process cannot be made.
    #[error("cannot make {}", .0.display())]
    Lock(PathBuf, #[source] std::io::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// Passwords cannot be hashed on this machine.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Why a shop in a file was not closed properly. Nothing is lost: at worst some events are handled again, without effect.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// How far the events were handled could not be written.
    #[error("how far the events were handled could not be written")]
    Bus(#[source] BusError),
    /// The database could not be closed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The parts of a shop that needs nothing but one SQLite file.
pub struct EmbeddedParts {
    parts: Parts,
    store: SqliteStore,
    bus: Arc<EmbeddedBus>,
    /// Held while this process handles the events; the system lets it go when the process ends, however it ends.
    alone: Option<File>,
}

impl EmbeddedParts {
    /// Opens the file for a process that handles the shop's events; a file that does not exist is made. Only one process at a time may.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process has the file, and those of the store.
    pub async fn open_alone(options: SqliteOptions) -> Result<Self, OpenError> {
        let alone = lock(&options.path)?;
        Self::open(options, Some(alone)).await
    }

    /// Opens the file beside whoever has it, for reads and single commands; events are left to the process that handles them.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn open_beside(options: SqliteOptions) -> Result<Self, OpenError> {
        Self::open(options, None).await
    }

    async fn open(options: SqliteOptions, alone: Option<File>) -> Result<Self, OpenError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = SqliteStore::open(options).await?;
        let bus = Arc::new(EmbeddedBus::new(store.clone()));
        let shared: Arc<SqliteStore> = Arc::new(store.clone());
        let parts = Parts {
            ids: Arc::new(HiLo::new(Arc::clone(&shared) as _)),
            store: shared,
            bus: Arc::clone(&bus) as _,
            notifier: Arc::new(InProcessNotifier::default()),
            // Requests pass it in memory; it is told again by the store when the process starts.
            gate: Arc::new(InProcessGate::new()),
            board: Arc::new(SqliteBoard::new(store.clone())),
            cache: Arc::new(InProcessCache::new()),
            locks: Arc::new(InProcessLocks::new(Arc::clone(&clock), store.clone())),
            passwords: Arc::new(Argon2Hasher::new()?),
            random: Arc::new(ThreadRandom),
            clock,
        };
        Ok(Self { parts, store, bus, alone })
    }

    /// The parts, to open a [`Commerce`](commerce_core::Commerce) with.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Waits until a group has handled everything that has happened so far, in whatever process it reads. Nobody may: bound the wait.
    ///
    /// # Errors
    /// [`BusError`] if the file cannot be read.
    pub async fn until_handled(&self, group: Group) -> Result<(), BusError> {
        self.bus.until_handled(group).await
    }

    /// Writes how far the events were handled and closes the file. Shut the shop down first.
    ///
    /// # Errors
    /// [`CloseError`]; nothing is lost then either.
    pub async fn close(self) -> Result<(), CloseError> {
        self.bus.save().await.map_err(CloseError::Bus)?;
        self.store.close().await?;
        if self.alone.is_some() {
            self.store.checkpoint().await?;
        }
        Ok(())
    }
}

fn lock(database: &Path) -> Result<File, OpenError> {
    // Beside the file itself, whatever links lead to it.
    let mut path = database.canonicalize().unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| OpenError::Lock(path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::Lock(path, error)),
    }
}

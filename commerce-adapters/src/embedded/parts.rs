use super::{EmbeddedBus, InProcessLocks, InProcessNotifier};
use crate::clock::SystemClock;
use crate::password::Argon2Hasher;
use crate::random::ThreadRandom;
use crate::sqlite::{self, SqliteOptions, SqliteStore};
use commerce_core::Parts;
use commerce_core::store::{HiLo, StoreError};
use commerce_core::user::PasswordError;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the parts of a shop cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process handles the events of this shop.
    #[error("another process handles the events of the shop in {path}: stop it first", path = .0.display())]
    InUse(PathBuf),
    /// The file that says who handles the events cannot be locked.
    #[error("cannot lock {path}", path = .path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
}

/// Everything a shop is made of that needs nothing but a SQLite file.
pub struct EmbeddedParts {
    parts: Parts,
    store: SqliteStore,
    bus: Arc<EmbeddedBus>,
    /// Holds the lock on the shop, until it is dropped or the process ends.
    _alone: Option<File>,
}

impl EmbeddedParts {
    /// Opens the file, and brings its schema up to date, for a process that handles the shop's events: only one at a time, because the
    /// notifications and locks of the embedded set-up end at the process.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process handles the events, and those of the store.
    pub async fn open_alone(options: SqliteOptions) -> Result<Self, OpenError> {
        let alone = lock(&options.path)?.ok_or_else(|| OpenError::InUse(options.path.clone()))?;
        Self::over(SqliteStore::open(options).await?, Some(alone))
    }

    /// Opens the file beside whoever has it, for reads and single commands. The schema is brought up to date only if nobody has it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn open_beside(options: SqliteOptions) -> Result<Self, OpenError> {
        let store = match lock(&options.path)? {
            Some(_alone) => SqliteStore::open(options).await?,
            None => SqliteStore::open_current(options).await?,
        };
        Self::over(store, None)
    }

    fn over(store: SqliteStore, alone: Option<File>) -> Result<Self, OpenError> {
        let clock = Arc::new(SystemClock);
        let bus = Arc::new(EmbeddedBus::new(store.clone()));
        let parts = Parts {
            store: Arc::new(store.clone()),
            bus: Arc::clone(&bus) as _,
            notifier: Arc::new(InProcessNotifier::new()),
            locks: Arc::new(InProcessLocks::new(Arc::clone(&clock) as _)),
            ids: Arc::new(HiLo::new(Arc::new(store.clone()))),
            passwords: Arc::new(Argon2Hasher::new()?),
            clock,
            random: Arc::new(ThreadRandom),
        };
        Ok(Self { parts, store, bus, _alone: alone })
    }

    /// The adapters.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The store, for what its port does not offer.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// The version of the schema.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        self.store.schema_version().await
    }

    /// Stores what was acknowledged and closes the file. The shop has to be shut down before.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn close(self) -> Result<(), StoreError> {
        self.bus.close().await?;
        self.store.close().await
    }
}

/// Locks the shop at `path`; `None` if another process has it. The lock ends with the process, however it ends.
fn lock(path: &Path) -> Result<Option<File>, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let failed = |source| OpenError::Lock { path: lock_path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

//! Where benches run: a file in a folder of their own, or a database of their own on a server whose address is given.

use super::raw::{Raw, RawSqlite};
use commerce_adapters::clock::SystemClock;
use commerce_adapters::embedded::InProcessLocks;
use commerce_adapters::sqlite::{SqliteOptions, SqliteStore};
use commerce_core::lock::DistributedLock;
use commerce_core::store::Store;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A shop's store that is a bench's own.
pub(crate) struct Place {
    /// What it is, such as `MySQL 9.7.1`.
    pub(crate) name: String,
    pub(crate) store: Arc<dyn Store>,
    /// Locks for a shop that has nothing but this store.
    pub(crate) locks: Arc<dyn DistributedLock>,
    /// The same disk or server without the library.
    pub(crate) raw: Arc<dyn Raw>,
    ground: Ground,
}

enum Ground {
    Folder(TempDir, SqliteStore),
    #[cfg(feature = "distributed")]
    Database(super::server::Database),
}

impl Place {
    /// A file with full durability, on the disk that the build is on: a file system in memory would make syncing free.
    pub(crate) async fn sqlite(temporary: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(temporary).expect("a temporary folder");
        let store = SqliteStore::open(SqliteOptions::new(folder.path().join("shop.db"))).await.expect("a store in a new file");
        let raw = RawSqlite::open(folder.path()).await.expect("another new file");
        Self {
            name: "SQLite".to_owned(),
            locks: Arc::new(InProcessLocks::new(Arc::new(SystemClock), store.clone())),
            store: Arc::new(store.clone()),
            raw: Arc::new(raw),
            ground: Ground::Folder(folder, store),
        }
    }

    /// The folder of the file, if it is one.
    #[cfg_attr(not(feature = "distributed"), expect(clippy::unnecessary_wraps, reason = "a database has none"))]
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.ground {
            Ground::Folder(folder, _) => Some(folder.path()),
            #[cfg(feature = "distributed")]
            Ground::Database(_) => None,
        }
    }

    /// The store in the file, if it is one.
    #[cfg_attr(not(feature = "distributed"), expect(clippy::unnecessary_wraps, reason = "a database has none"))]
    pub(crate) fn file(&self) -> Option<&SqliteStore> {
        match &self.ground {
            Ground::Folder(_, store) => Some(store),
            #[cfg(feature = "distributed")]
            Ground::Database(_) => None,
        }
    }

    #[cfg(feature = "distributed")]
    pub(super) fn on_server(
        name: String,
        store: Arc<dyn Store>,
        locks: Arc<dyn DistributedLock>,
        raw: Arc<dyn Raw>,
        database: super::server::Database,
    ) -> Self {
        Self { name, store, locks, raw, ground: Ground::Database(database) }
    }

    /// Leaves nothing behind.
    #[cfg_attr(not(feature = "distributed"), expect(clippy::unused_async, reason = "only a database has to be waited for"))]
    pub(crate) async fn clear(self) {
        let Self { store, locks, raw, ground, .. } = self;
        drop((store, locks, raw));
        match ground {
            Ground::Folder(folder, store) => drop((store, folder)),
            #[cfg(feature = "distributed")]
            Ground::Database(database) => database.drop_it().await,
        }
    }
}

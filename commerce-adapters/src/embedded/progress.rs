use crate::sqlite::SqliteStore;
use commerce_core::messaging::Group;
use commerce_core::store::StoreError;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How far a group has come.
pub(super) struct Progress {
    acknowledged: AtomicI64,
    saved: AtomicI64,
    /// Held by the subscription that reads: a second one of the same group waits until the first is gone, and takes over from there.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

impl Progress {
    pub(super) fn at(seq: i64) -> Self {
        Self { acknowledged: AtomicI64::new(seq), saved: AtomicI64::new(seq), turn: Arc::default() }
    }

    /// The last row everything up to which is handled.
    pub(super) fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    pub(super) fn acknowledge(&self, seq: i64) {
        self.acknowledged.fetch_max(seq, Ordering::AcqRel);
    }
}

/// How far every group has come: in memory at once, in the file a moment later.
pub(super) struct ProgressBook {
    store: SqliteStore,
    durable: Mutex<HashMap<Group, Arc<Progress>>>,
    passing: Mutex<HashMap<Group, Arc<Progress>>>,
}

impl ProgressBook {
    pub(super) fn new(store: SqliteStore) -> Self {
        Self { store, durable: Mutex::default(), passing: Mutex::default() }
    }

    /// The progress of a group that acknowledges durably. A new group is stored at once: from then on no row is deleted before it has
    /// read it.
    pub(super) async fn durable(&self, group: Group) -> Result<Arc<Progress>, StoreError> {
        if let Some(known) = get(&self.durable, group) {
            return Ok(known);
        }
        let stored = self.store.offset(group).await?;
        if stored.is_none() {
            self.store.save_offsets(&[(group, 0)]).await?;
        }
        let progress = Arc::new(Progress::at(stored.unwrap_or(0)));
        let mut groups = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(groups.entry(group).or_insert(progress)))
    }

    /// The progress of a group that begins behind everything there is now, and is forgotten with this process.
    pub(super) async fn passing(&self, group: Group) -> Result<Arc<Progress>, StoreError> {
        let progress = Arc::new(Progress::at(self.store.log_end().await?));
        let mut groups = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        groups.insert(group, Arc::clone(&progress));
        Ok(progress)
    }

    /// How far a group has come, whether or not it reads in this process.
    pub(super) async fn acknowledged(&self, group: Group) -> Result<i64, StoreError> {
        match get(&self.durable, group).or_else(|| get(&self.passing, group)) {
            Some(progress) => Ok(progress.acknowledged()),
            None => Ok(self.store.offset(group).await?.unwrap_or(0)),
        }
    }

    /// Stores what was acknowledged since the last time, of all groups at once.
    pub(super) async fn save(&self) -> Result<(), StoreError> {
        let moved: Vec<(Group, Arc<Progress>, i64)> = {
            let groups = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
            let all = groups.iter().map(|(group, progress)| (*group, Arc::clone(progress), progress.acknowledged()));
            all.filter(|(_, progress, seq)| *seq > progress.saved.load(Ordering::Acquire)).collect()
        };
        let offsets: Vec<(Group, i64)> = moved.iter().map(|(group, _, seq)| (*group, *seq)).collect();
        self.store.save_offsets(&offsets).await?;
        for (_, progress, seq) in moved {
            progress.saved.fetch_max(seq, Ordering::AcqRel);
        }
        Ok(())
    }
}

fn get(groups: &Mutex<HashMap<Group, Arc<Progress>>>, group: Group) -> Option<Arc<Progress>> {
    groups.lock().unwrap_or_else(PoisonError::into_inner).get(&group).map(Arc::clone)
}

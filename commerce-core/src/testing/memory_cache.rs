use crate::cache::{CacheError, FillRight, Look, ReadCache};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A cache in memory; its time is tokio's, so that a test with a paused clock decides when something ends. Clones share what they keep.
#[derive(Debug, Clone, Default)]
pub struct MemoryCache {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    rights: u64,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    until: Instant,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Right(FillRight),
    Value(Vec<u8>),
}

impl MemoryCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, as a service would that was restarted.
    pub fn wipe(&self) {
        self.shared().entries.clear();
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// What is under a key and has not ended.
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| Instant::now() < entry.until)
    }

    fn is_valid(&self, key: &str, right: FillRight) -> bool {
        matches!(self.entry(key), Some(Entry { held: Held::Right(valid), .. }) if *valid == right)
    }

    fn put(&mut self, key: &str, held: Held, time: Duration) {
        self.entries.insert(key.to_owned(), Entry { until: Instant::now() + time, held });
    }

    fn look(&mut self, key: &str, lease: Duration) -> Look {
        match self.entry(key).map(|entry| &entry.held) {
            Some(Held::Value(value)) => Look::Found(value.clone()),
            Some(Held::Right(_)) => Look::Taken,
            None => {
                self.rights += 1;
                let right = FillRight(self.rights);
                self.put(key, Held::Right(right), lease);
                Look::Granted(right)
            }
        }
    }
}

#[async_trait]
impl ReadCache for MemoryCache {
    async fn look(&self, keys: &[String], lease: Duration) -> Result<Vec<Look>, CacheError> {
        let mut shared = self.shared();
        Ok(keys.iter().map(|key| shared.look(key, lease)).collect())
    }

    async fn fill(&self, key: &str, right: FillRight, value: Vec<u8>, keep: Duration) -> Result<(), CacheError> {
        let mut shared = self.shared();
        if shared.is_valid(key, right) {
            shared.put(key, Held::Value(value), keep);
        }
        Ok(())
    }

    async fn give_up(&self, key: &str, right: FillRight) -> Result<(), CacheError> {
        let mut shared = self.shared();
        if shared.is_valid(key, right) {
            shared.entries.remove(key);
        }
        Ok(())
    }

    async fn forget(&self, keys: &[String]) -> Result<(), CacheError> {
        let mut shared = self.shared();
        for key in keys {
            shared.entries.remove(key);
        }
        Ok(())
    }
}

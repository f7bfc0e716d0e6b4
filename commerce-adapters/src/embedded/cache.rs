use async_trait::async_trait;
use commerce_core::cache::{CacheError, FillRight, Look, ReadCache};
use moka::Expiry;
use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much is kept; what is read least goes first.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// About what an entry takes beside its key and its value.
const ENTRY_BYTES: usize = 128;

/// A cache in the memory of the process, bounded by its bytes.
#[derive(Clone)]
pub struct InProcessCache {
    entries: Cache<String, Entry>,
    rights: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Entry {
    held: Held,
    keep: Duration,
}

#[derive(Clone)]
enum Held {
    Right(FillRight),
    Value(Arc<[u8]>),
}

/// Each entry says itself for how long it is kept.
struct ByEntry;

impl Expiry<String, Entry> for ByEntry {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.keep)
    }

    fn expire_after_update(&self, _: &String, entry: &Entry, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.keep)
    }
}

impl InProcessCache {
    /// An empty cache.
    pub fn new() -> Self {
        let bytes = |key: &String, entry: &Entry| {
            let value = match &entry.held {
                Held::Right(_) => 0,
                Held::Value(value) => value.len(),
            };
            u32::try_from(key.len() + value + ENTRY_BYTES).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder().max_capacity(KEPT_BYTES_MAX).weigher(bytes).expire_after(ByEntry).build();
        Self { entries, rights: Arc::default() }
    }

    async fn look_at(&self, key: &str, lease: Duration) -> Look {
        if let Some(Entry { held: Held::Value(value), .. }) = self.entries.get(key).await {
            return Look::Found(value.to_vec());
        }
        let right = FillRight(self.rights.fetch_add(1, Ordering::Relaxed));
        let granted = Entry { held: Held::Right(right), keep: lease };
        let entry = self.entries.entry_by_ref(key);
        match entry.and_compute_with(async |held| if held.is_some() { Op::Nop } else { Op::Put(granted) }).await {
            CompResult::Unchanged(entry) => match entry.into_value().held {
                Held::Value(value) => Look::Found(value.to_vec()),
                Held::Right(_) => Look::Taken,
            },
            _ => Look::Granted(right),
        }
    }

    /// Does something to an entry if the right is valid.
    async fn with_valid(&self, key: &str, right: FillRight, change: Op<Entry>) {
        let valid = |entry: &Entry| matches!(entry.held, Held::Right(valid) if valid == right);
        let entry = self.entries.entry_by_ref(key);
        entry.and_compute_with(async |held| if held.is_some_and(|held| valid(held.value())) { change } else { Op::Nop }).await;
    }
}

impl Default for InProcessCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcessCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessCache").field("entries", &self.entries.entry_count()).finish_non_exhaustive()
    }
}

#[async_trait]
impl ReadCache for InProcessCache {
    async fn look(&self, keys: &[String], lease: Duration) -> Result<Vec<Look>, CacheError> {
        let mut looks = Vec::with_capacity(keys.len());
        for key in keys {
            looks.push(self.look_at(key, lease).await);
        }
        Ok(looks)
    }

    async fn fill(&self, key: &str, right: FillRight, value: Vec<u8>, keep: Duration) -> Result<(), CacheError> {
        self.with_valid(key, right, Op::Put(Entry { held: Held::Value(value.into()), keep })).await;
        Ok(())
    }

    async fn give_up(&self, key: &str, right: FillRight) -> Result<(), CacheError> {
        self.with_valid(key, right, Op::Remove).await;
        Ok(())
    }

    async fn forget(&self, keys: &[String]) -> Result<(), CacheError> {
        for key in keys {
            // As a fill does it, and so before or after it, never in the middle.
            self.entries.entry_by_ref(key).and_compute_with(async |_| Op::Remove).await;
        }
        Ok(())
    }
}

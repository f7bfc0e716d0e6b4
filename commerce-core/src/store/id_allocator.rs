use super::{Store, StoreError};
use crate::Sequence;
use async_trait::async_trait;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Hands out ids before their rows are inserted. Ids are unique over all processes that share a store; they rise within one process.
#[async_trait]
pub trait IdAllocator: Send + Sync {
    /// The next `count` ids of a sequence; not always adjacent.
    ///
    /// # Errors
    /// Those of the store.
    async fn allocate(&self, sequence: Sequence, count: usize) -> Result<Vec<i64>, StoreError>;
}

/// The hi-lo allocator: leases blocks from the store and hands them out one by one, so that an id costs no round trip.
/// A restart leaves the rest of each block unused.
pub struct HiLo {
    store: Arc<dyn Store>,
    blocks: HashMap<Sequence, Mutex<Range<i64>>>,
}

impl HiLo {
    /// An allocator that leases from `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, blocks: Sequence::ALL.into_iter().map(|sequence| (sequence, Mutex::new(0..0))).collect() }
    }
}

#[async_trait]
impl IdAllocator for HiLo {
    async fn allocate(&self, sequence: Sequence, count: usize) -> Result<Vec<i64>, StoreError> {
        let mut block = self.blocks[&sequence].lock().await;
        let mut ids = Vec::with_capacity(count);
        loop {
            ids.extend(block.by_ref().take(count - ids.len()));
            let missing = u32::try_from(count - ids.len()).unwrap_or(u32::MAX);
            if missing == 0 {
                return Ok(ids);
            }
            let leased = self.store.lease_ids(sequence, missing.max(sequence.block_len())).await?;
            *block = leased.first..leased.first + i64::from(leased.len);
        }
    }
}

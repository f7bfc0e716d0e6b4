use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::cache::{CacheError, FillRight, Look, ReadCache};
use commerce_core::testing::MemoryCache;
use std::sync::Arc;
use std::time::Duration;

/// The cache as one process sees it. What a process had the right to fill when it crashed is filled by another once the lease ends.
pub(crate) struct PluggedCache {
    pub(crate) inner: MemoryCache,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl ReadCache for PluggedCache {
    async fn look(&self, keys: &[String], lease: Duration) -> Result<Vec<Look>, CacheError> {
        self.plug.reach(Call::Cache, self.inner.look(keys, lease)).await
    }

    async fn fill(&self, key: &str, right: FillRight, value: Vec<u8>, keep: Duration) -> Result<(), CacheError> {
        self.plug.reach(Call::Cache, self.inner.fill(key, right, value, keep)).await
    }

    async fn give_up(&self, key: &str, right: FillRight) -> Result<(), CacheError> {
        self.plug.reach(Call::Cache, self.inner.give_up(key, right)).await
    }

    async fn forget(&self, keys: &[String]) -> Result<(), CacheError> {
        self.plug.reach(Call::Cache, self.inner.forget(keys)).await
    }
}

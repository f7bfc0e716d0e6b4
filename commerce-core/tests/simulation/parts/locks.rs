use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant};
use commerce_core::testing::MemoryLocks;
use std::sync::Arc;
use std::time::Duration;

/// The lock service as one process sees it. What a process held when it crashed ends with its lease.
pub(crate) struct PluggedLocks {
    pub(crate) inner: MemoryLocks,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl DistributedLock for PluggedLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        self.plug.reach(Call::Lock, self.inner.try_acquire(name, lease)).await
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        self.plug.reach(Call::Lock, self.inner.renew(grant, lease)).await
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        self.plug.reach(Call::Lock, self.inner.release(grant)).await
    }
}

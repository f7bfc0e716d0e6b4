use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::store::{IdBlock, Queries, Store, StoreError, UnitOfWork};
use commerce_core::{Sequence, Timestamp};
use std::sync::Arc;

/// The store as one process sees it. Reads leave no trace, so that they need no plug.
pub(crate) struct PluggedStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl Store for PluggedStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let inner = self.plug.call(Call::Begin, self.inner.begin()).await?;
        Ok(Box::new(PluggedUnitOfWork { inner, plug: Arc::clone(&self.plug) }))
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        self.plug.call(Call::Lease, self.inner.lease_ids(sequence, len)).await
    }

    fn queries(&self) -> &dyn Queries {
        self.inner.queries()
    }

    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError> {
        self.inner.snapshot().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.plug.call(Call::Purge, self.inner.purge(before, limit)).await
    }
}

struct PluggedUnitOfWork {
    inner: Box<dyn UnitOfWork>,
    plug: Arc<Plug>,
}

#[async_trait]
impl UnitOfWork for PluggedUnitOfWork {
    commerce_core::repositories_of_inner!();

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, plug } = *self;
        plug.call(Call::Commit, inner.commit()).await
    }
}

use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::audit::AuditSnapshot;
use commerce_core::coupon::CouponRepository;
use commerce_core::idempotency::IdempotencyRepository;
use commerce_core::lock::FenceRepository;
use commerce_core::messaging::{DeadLetterRepository, InboxRepository, OutboxRepository};
use commerce_core::order::OrderRepository;
use commerce_core::payment::PaymentRepository;
use commerce_core::point::PointRepository;
use commerce_core::product::ProductRepository;
use commerce_core::stock::StockRepository;
use commerce_core::store::{IdBlock, Queries, Store, StoreError, UnitOfWork};
use commerce_core::user::UserRepository;
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
    fn users(&mut self) -> &mut dyn UserRepository {
        self.inner.users()
    }

    fn points(&mut self) -> &mut dyn PointRepository {
        self.inner.points()
    }

    fn products(&mut self) -> &mut dyn ProductRepository {
        self.inner.products()
    }

    fn stock(&mut self) -> &mut dyn StockRepository {
        self.inner.stock()
    }

    fn coupons(&mut self) -> &mut dyn CouponRepository {
        self.inner.coupons()
    }

    fn orders(&mut self) -> &mut dyn OrderRepository {
        self.inner.orders()
    }

    fn payments(&mut self) -> &mut dyn PaymentRepository {
        self.inner.payments()
    }

    fn outbox(&mut self) -> &mut dyn OutboxRepository {
        self.inner.outbox()
    }

    fn inbox(&mut self) -> &mut dyn InboxRepository {
        self.inner.inbox()
    }

    fn dead_letters(&mut self) -> &mut dyn DeadLetterRepository {
        self.inner.dead_letters()
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self.inner.idempotency()
    }

    fn fences(&mut self) -> &mut dyn FenceRepository {
        self.inner.fences()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, plug } = *self;
        plug.call(Call::Commit, inner.commit()).await
    }
}

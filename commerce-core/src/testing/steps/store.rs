use super::{Step, Steps};
use crate::audit::AuditSnapshot;
use crate::coupon::CouponRepository;
use crate::lock::FenceRepository;
use crate::point::PointRepository;
use crate::stock::StockRepository;
use crate::store::{IdBlock, Queries, Store, StoreError, UnitOfWork, Writers};
use crate::{Sequence, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;

/// A store whose units of work stop when they begin, when they read or write points, stock, coupons or fences, and at their commit.
#[derive(Clone)]
pub struct SteppedStore {
    inner: Arc<dyn Store>,
    steps: Arc<dyn Steps>,
}

impl SteppedStore {
    /// Lets `steps` decide when `inner` is asked.
    pub fn new(inner: Arc<dyn Store>, steps: Arc<dyn Steps>) -> Self {
        Self { inner, steps }
    }

    fn stepped(&self, inner: Box<dyn UnitOfWork>) -> Box<dyn UnitOfWork> {
        Box::new(SteppedUnitOfWork { inner, steps: Arc::clone(&self.steps) })
    }
}

#[async_trait]
impl Store for SteppedStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.steps.at(Step::Begin).await;
        Ok(self.stepped(self.inner.begin().await?))
    }

    async fn begin_unlocked(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.steps.at(Step::Begin).await;
        Ok(self.stepped(self.inner.begin_unlocked().await?))
    }

    fn writers(&self) -> Writers {
        self.inner.writers()
    }

    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError> {
        self.inner.lease_ids(sequence, len).await
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
        self.inner.purge(before, limit).await
    }
}

pub(super) struct SteppedUnitOfWork {
    pub(super) inner: Box<dyn UnitOfWork>,
    pub(super) steps: Arc<dyn Steps>,
}

#[async_trait]
impl UnitOfWork for SteppedUnitOfWork {
    crate::repositories_of_inner!(users, products, orders, payments, outbox, inbox, dead_letters, idempotency);

    fn points(&mut self) -> &mut dyn PointRepository {
        self
    }

    fn stock(&mut self) -> &mut dyn StockRepository {
        self
    }

    fn coupons(&mut self) -> &mut dyn CouponRepository {
        self
    }

    fn fences(&mut self) -> &mut dyn FenceRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, steps } = *self;
        steps.at(Step::Commit).await;
        inner.commit().await?;
        steps.at(Step::Committed).await;
        Ok(())
    }
}

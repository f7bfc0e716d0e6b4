use super::right::Right;
use super::{Shared, State};
use crate::coupon::CouponRepository;
use crate::idempotency::IdempotencyRepository;
use crate::lock::FenceRepository;
use crate::messaging::{DeadLetterRepository, InboxRepository, OutboxRepository};
use crate::order::OrderRepository;
use crate::payment::PaymentRepository;
use crate::point::PointRepository;
use crate::product::ProductRepository;
use crate::stock::StockRepository;
use crate::store::{StoreError, UnitOfWork};
use crate::user::UserRepository;
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// A copy of the state that becomes the state when it is committed. The repositories are implemented by [`State`] itself.
pub(super) struct MemoryUnitOfWork {
    state: State,
    shared: Arc<Shared>,
}

impl MemoryUnitOfWork {
    pub(super) fn begin(shared: Arc<Shared>, writer: OwnedMutexGuard<()>) -> Self {
        Self { state: shared.state().with(Right::Held(Arc::new(writer))), shared }
    }

    pub(super) fn begin_unlocked(shared: Arc<Shared>) -> Self {
        Self { state: shared.state().with(Right::Later(Arc::clone(&shared))), shared }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnitOfWork {
    fn users(&mut self) -> &mut dyn UserRepository {
        &mut self.state
    }

    fn points(&mut self) -> &mut dyn PointRepository {
        &mut self.state
    }

    fn products(&mut self) -> &mut dyn ProductRepository {
        &mut self.state
    }

    fn stock(&mut self) -> &mut dyn StockRepository {
        &mut self.state
    }

    fn coupons(&mut self) -> &mut dyn CouponRepository {
        &mut self.state
    }

    fn orders(&mut self) -> &mut dyn OrderRepository {
        &mut self.state
    }

    fn payments(&mut self) -> &mut dyn PaymentRepository {
        &mut self.state
    }

    fn outbox(&mut self) -> &mut dyn OutboxRepository {
        &mut self.state
    }

    fn inbox(&mut self) -> &mut dyn InboxRepository {
        &mut self.state
    }

    fn dead_letters(&mut self) -> &mut dyn DeadLetterRepository {
        &mut self.state
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        &mut self.state
    }

    fn fences(&mut self) -> &mut dyn FenceRepository {
        &mut self.state
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { mut state, shared } = *self;
        // Let go when the state is in its place. Without the right nothing was written.
        let right = std::mem::take(&mut state.right);
        if matches!(right, Right::Held(_)) {
            state.appended.clear();
            state.told = 0;
            shared.replace(state);
        }
        Ok(())
    }
}

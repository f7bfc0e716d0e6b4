use super::inbox::Noted;
use super::orders::Kept;
use super::{Backend, Link, Session};
use async_trait::async_trait;
use commerce_core::coupon::CouponRepository;
use commerce_core::idempotency::IdempotencyRepository;
use commerce_core::lock::FenceRepository;
use commerce_core::messaging::{DeadLetterRepository, InboxRepository, Message, OutboxRepository, OutboxRow};
use commerce_core::order::OrderRepository;
use commerce_core::payment::PaymentRepository;
use commerce_core::point::PointRepository;
use commerce_core::product::ProductRepository;
use commerce_core::stock::StockRepository;
use commerce_core::store::{StoreError, UnitOfWork};
use commerce_core::user::UserRepository;
use commerce_core::{EventId, OrderId};
use std::collections::BTreeMap;

/// A transaction on one connection, and every repository over it. Dropping it drops the session, which rolls back.
pub(crate) struct SqlUnitOfWork<DB: Backend> {
    session: DB::Session,
    for_update: &'static str,
    /// Events that wait for the commit, with the ids they have already, so that those of all handlers of a batch are written by few statements.
    pub(super) unwritten: Vec<(Option<EventId>, Message)>,
    /// Events that were written.
    pub(super) written: Vec<OutboxRow>,
    /// How many of those were given to followers.
    pub(super) asked: usize,
    /// What groups handle of them, which waits for the commit, too.
    pub(super) unnoted: Vec<Noted>,
    /// The orders it has placed or locked: nobody else changes them before it ends.
    pub(super) orders: BTreeMap<OrderId, Kept>,
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Takes over a connection in a transaction that was just begun.
    pub(crate) fn new(session: DB::Session) -> Self {
        Self {
            session,
            for_update: DB::FOR_UPDATE,
            unwritten: Vec::new(),
            written: Vec::new(),
            asked: 0,
            unnoted: Vec::new(),
            orders: BTreeMap::new(),
        }
    }

    /// The same, but what it would lock it only reads.
    #[cfg(feature = "mysql")]
    pub(crate) fn unlocked(session: DB::Session) -> Self {
        Self { for_update: "", ..Self::new(session) }
    }

    /// Put behind a SELECT whose rows are about to be changed.
    pub(super) fn for_update(&self) -> &'static str {
        self.for_update
    }

    pub(super) fn link(&mut self) -> &mut dyn Link<DB> {
        self.session.link()
    }
}

#[async_trait]
impl<DB: Backend> UnitOfWork for SqlUnitOfWork<DB> {
    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn points(&mut self) -> &mut dyn PointRepository {
        self
    }

    fn products(&mut self) -> &mut dyn ProductRepository {
        self
    }

    fn stock(&mut self) -> &mut dyn StockRepository {
        self
    }

    fn coupons(&mut self) -> &mut dyn CouponRepository {
        self
    }

    fn orders(&mut self) -> &mut dyn OrderRepository {
        self
    }

    fn payments(&mut self) -> &mut dyn PaymentRepository {
        self
    }

    fn outbox(&mut self) -> &mut dyn OutboxRepository {
        self
    }

    fn inbox(&mut self) -> &mut dyn InboxRepository {
        self
    }

    fn dead_letters(&mut self) -> &mut dyn DeadLetterRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn fences(&mut self) -> &mut dyn FenceRepository {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.write_placed().await?;
        self.write_notes().await?;
        self.write_events().await?;
        let Self { session, written, .. } = *self;
        session.commit(written).await
    }
}

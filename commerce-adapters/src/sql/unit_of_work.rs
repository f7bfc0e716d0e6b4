use super::lasting::{Lasting, Learned};
use super::outbox::Unwritten;
use super::{Backend, Link, Session, orders, points};
use async_trait::async_trait;
use commerce_core::coupon::CouponRepository;
use commerce_core::idempotency::IdempotencyRepository;
use commerce_core::lock::FenceRepository;
use commerce_core::messaging::{DeadLetterRepository, InboxRepository, OutboxRepository, OutboxRow};
use commerce_core::order::OrderRepository;
use commerce_core::payment::PaymentRepository;
use commerce_core::point::{NewPointEntry, PointRepository};
use commerce_core::product::ProductRepository;
use commerce_core::stock::StockRepository;
use commerce_core::store::{StoreError, UnitOfWork};
use commerce_core::user::UserRepository;
use commerce_core::{OrderId, UserId};
use std::collections::BTreeMap;

/// A transaction on one connection, and every repository over it. Dropping it drops the session, which rolls back.
pub(crate) struct SqlUnitOfWork<DB: Backend> {
    session: DB::Session,
    pub(super) lasting: Lasting,
    /// What it can add to that.
    pub(super) learned: Learned,
    for_update: &'static str,
    /// Events that wait for the commit, which writes those of all handlers of a batch by few statements.
    pub(super) unwritten: Vec<Unwritten>,
    /// How many of those were told to whoever follows them.
    pub(super) told: usize,
    /// How many events were appended.
    pub(super) places: usize,
    /// Events that were written, of a database that tells their ids.
    pub(super) written: Vec<OutboxRow>,
    /// The accounts it has locked: nobody else changes them before it ends.
    pub(super) accounts: BTreeMap<UserId, points::Kept>,
    /// Entries that wait for the commit.
    pub(super) point_entries: Vec<NewPointEntry>,
    /// The orders it has placed or locked: nobody else changes them before it ends.
    pub(super) orders: BTreeMap<OrderId, orders::Kept>,
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Takes over a connection in a transaction that was just begun.
    pub(crate) fn new(session: DB::Session, lasting: Lasting) -> Self {
        Self {
            session,
            lasting,
            learned: Learned::default(),
            for_update: DB::FOR_UPDATE,
            unwritten: Vec::new(),
            told: 0,
            places: 0,
            written: Vec::new(),
            accounts: BTreeMap::new(),
            point_entries: Vec::new(),
            orders: BTreeMap::new(),
        }
    }

    /// The same, but what it would lock it only reads.
    #[cfg(feature = "mysql")]
    pub(crate) fn unlocked(session: DB::Session, lasting: Lasting) -> Self {
        Self { for_update: "", ..Self::new(session, lasting) }
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
        self.write_points().await?;
        self.write_placed().await?;
        self.write_events().await?;
        let Self { session, written, lasting, learned, .. } = *self;
        session.commit(written).await?;
        lasting.keep(learned).await;
        Ok(())
    }
}

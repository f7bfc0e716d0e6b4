use super::{Queries, StoreError};
use crate::audit::AuditSnapshot;
use crate::coupon::CouponRepository;
use crate::idempotency::IdempotencyRepository;
use crate::lock::FenceRepository;
use crate::messaging::{DeadLetterRepository, InboxRepository, OutboxRepository};
use crate::order::OrderRepository;
use crate::payment::PaymentRepository;
use crate::point::PointRepository;
use crate::product::ProductRepository;
use crate::stock::StockRepository;
use crate::user::UserRepository;
use crate::{Sequence, Timestamp};
use async_trait::async_trait;

/// A transaction: everything written through it becomes visible and durable together at [`commit`](Self::commit), or not at all.
///
/// Dropping it MUST roll it back. Repository methods take slices and answer what exists; a missing row is no error.
#[async_trait]
pub trait UnitOfWork: Send {
    /// The users.
    fn users(&mut self) -> &mut dyn UserRepository;
    /// The point accounts.
    fn points(&mut self) -> &mut dyn PointRepository;
    /// The products.
    fn products(&mut self) -> &mut dyn ProductRepository;
    /// The stock.
    fn stock(&mut self) -> &mut dyn StockRepository;
    /// The coupons.
    fn coupons(&mut self) -> &mut dyn CouponRepository;
    /// The orders.
    fn orders(&mut self) -> &mut dyn OrderRepository;
    /// The payments.
    fn payments(&mut self) -> &mut dyn PaymentRepository;
    /// The events to be published.
    fn outbox(&mut self) -> &mut dyn OutboxRepository;
    /// The events that were handled.
    fn inbox(&mut self) -> &mut dyn InboxRepository;
    /// The events that could not be handled.
    fn dead_letters(&mut self) -> &mut dyn DeadLetterRepository;
    /// The answers to requests that came with a key.
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    /// The locks under which it writes.
    fn fences(&mut self) -> &mut dyn FenceRepository;

    /// Makes everything durable.
    ///
    /// # Errors
    /// MUST be [`StoreError::Ambiguous`] if it is not known whether the commit took place; any other error means that it did not.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// A block of ids that nobody else is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdBlock {
    /// The first id of the block.
    pub first: i64,
    /// How many there are.
    pub len: u32,
}

/// Which processes write while a unit of work is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// This one alone: whatever other processes there are, they are kept out from its begin to its end.
    One,
    /// Any number of them, at the same time.
    Many,
}

/// Where the shop's data lives.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a unit of work, waiting for a connection if need be.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is none in time.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Begins a unit of work in which what a repository would lock is only read: it may have changed since when it is saved. A save that checks the
    /// version fails with [`StoreError::Conflict`] then, others overwrite what came between. What is written MUST be locked until the end as ever. A
    /// store MAY lock what is read all the same, as this default does.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn begin_unlocked(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        self.begin().await
    }

    /// Which processes write while a unit of work of this one is under way. [`Writers::One`] is a promise.
    fn writers(&self) -> Writers {
        Writers::Many
    }

    /// Takes the next `len` ids of a sequence, durably and in a transaction of its own: they MUST never be leased again, by whatever
    /// process. It MUST NOT be called while the caller holds a unit of work.
    ///
    /// # Errors
    /// Those of the store.
    async fn lease_ids(&self, sequence: Sequence, len: u32) -> Result<IdBlock, StoreError>;

    /// Reads that change nothing.
    fn queries(&self) -> &dyn Queries;

    /// A consistent view of everything, for the audit; it MUST NOT block writers.
    ///
    /// # Errors
    /// Those of the store.
    async fn snapshot(&self) -> Result<Box<dyn AuditSnapshot>, StoreError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// Those of the store.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Deletes what nobody needs any more: handled events, inbox rows and idempotency records that are older than `before`. It deletes
    /// at most `limit` rows of each kind, and answers how many it deleted.
    ///
    /// # Errors
    /// Those of the store.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

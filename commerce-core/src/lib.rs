//! The core of an order backend for shops that face sudden, extreme traffic: points, products with live stock, orders and payments, coupons.
//!
//! It knows no database, broker or web framework: those are adapters behind the traits defined here.
//!
//! - **The facade** an embedder holds is [`Commerce`]; [`Parts`] is what it is made of.
//! - **Slices**, one module a domain word: [`user`], [`point`], [`product`], [`stock`], [`coupon`], [`order`], [`payment`], [`ranking`]. In each
//!   stand the aggregate (pure rules), the use cases (batch handlers) and the port to its rows.
//! - **Every write** is a [`store::Handler`] over a batch in one [`store::UnitOfWork`]: load, decide, save. [`store::GroupCommit`] makes commands
//!   that arrive together share a commit.
//! - **Contended rows** have other [`guard`]s, too: locks, versions, conditions, counters, all behind one interface.
//! - **Events** ([`messaging`]) are written with the change, travel over a [`messaging::MessageBus`], and are handled exactly once.
//! - **Reads** that many want at once share a query, and what hardly changes is kept in a [`cache::ReadCache`]; stock is always read anew.
//! - **Proof**: [`audit`] shows that nothing was sold, charged or issued twice, or lost.
//!
//! With the feature `testing` there are in-memory adapters, a manual clock, seeded randomness, and the contract suites that every adapter has to
//! pass.

pub mod audit;
pub mod cache;
pub mod coupon;
pub mod guard;
pub mod idempotency;
pub mod lock;
pub mod messaging;
pub mod notify;
pub mod order;
pub mod payment;
pub mod point;
pub mod product;
pub mod ranking;
pub mod scheduler;
pub mod stock;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod user;

mod commerce;
mod error;
mod ids;
mod money;
mod time;

pub use commerce::{AdmissionError, CommandError, Commerce, Desks, GatePlacement, OrderWatch, Parts, Settings, SweepError, TaskWatch};
pub use error::ErrorCode;
pub use ids::{
    CouponId, DeadLetterId, EventId, ID_MAX, InvalidId, OptionId, OrderId, PaymentId, PointEntryId, ProductId, Sequence, StockEntryId,
    TaskId, UserCouponId, UserId,
};
pub use money::{InvalidMoney, Money};
pub use time::{BusinessCalendar, BusinessDay, Clock, Timestamp, UnknownTimeZone};

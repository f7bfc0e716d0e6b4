//! Guards: ways to change a row that many want to change at the same time.
//!
//! A [`Guard`] carries out commands of a use case, one by one or in batches, so that what two of them do to the same row is what one after the other
//! would have done. Which one does it best depends on how many want the same row, on how long they hold it, and on the store; `cargo bench` says it
//! for a machine and its servers. The shop itself takes group commit, the [`Desk`](crate::store::Desk).
//!
//! | guard | keeps others out by | where it is weak | a command costs |
//! |---|---|---|---|
//! | [`RowLock`] | locking the rows that are read | a hot row is a queue of transactions; who stalls stalls all behind it | a commit |
//! | [`OptimisticVersion`] | checking the version of what was read | many for one row: most do their work in vain, some starve | a commit, and the vain attempts |
//! | [`ConditionalUpdate`] | one statement that decides and writes | says only what fits in a condition; a hot row is a queue still | a commit, and a round trip less |
//! | [`SpinLock`] | a lock of a service, and its fence in the store | a lease ends; spinning costs the service; nobody queues | a commit, the grant, the release, the fence |
//! | [`KeyedLock`] | a lock in this process | a second process: refused unless the store has [`Writers::One`](crate::store::Writers) | a commit |
//! | [`CounterInFront`] | nothing: it turns away who comes too late | it may be wrong for a while; what it wraps is the judge | a call to the counter |
//! | [`Desk`](crate::store::Desk) | deciding all that wait together | one slow handler delays its batch | a share of a commit |
//!
//! All of them promise the same: a command is carried out once, or not at all and an error says so, or [`GuardError::is_unknown`] says that nobody
//! knows. Dropping the future of [`Guard::run`] is like a crash: the unit of work is rolled back unless its commit was under way, and a lock that was
//! held is let go, at once or when its lease ends. (A desk carries out what it has taken.)
//!
//! What a guard that locks no row has to know of a use case it is told by traits: that every write is checked by the store ([`Rechecked`]), that the
//! statement itself decides ([`Conditional`]), what a command contends for ([`Contended`]). A use case without the trait is refused by the compiler.
//!
//! The use cases that many contend for have them: [`Charge`](crate::point::Charge), [`StockAdjustment`](crate::stock::StockAdjustment) and
//! [`IssueCoupons`](crate::coupon::IssueCoupons); what decides in one statement is another handler of the same commands. So guards for one use case are
//! interchangeable:
//!
//! ```
//! use commerce_core::guard::{ConditionalUpdate, Guard, GuardFor, KeyedLock, OptimisticVersion, RowLock, SpinLock};
//! use commerce_core::lock::{Locks, Patience, Tenure};
//! use commerce_core::stock::{AdjustStock, Stock, StockAdjustment, StockAdjustmentInPlace, StockQuantity};
//! use commerce_core::store::{GroupCommit, GroupCommitLimits, Random, Store};
//! use commerce_core::testing::{ManualClock, MemoryLocks, MemoryStore, SeededRandom};
//! use commerce_core::{Clock, OptionId};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! /// Any guard of the use case "adjust stock".
//! type StockGuard = Arc<GuardFor<StockAdjustment>>;
//!
//! /// The guard that somebody has chosen, and who has to know no more of it.
//! fn choose(name: &str, store: &Arc<dyn Store>, clock: Arc<dyn Clock>, random: &Arc<dyn Random>) -> Option<StockGuard> {
//!     let (store, random) = (Arc::clone(store), Arc::clone(random));
//!     Some(match name {
//!         "row lock" => Arc::new(RowLock::new(StockAdjustment { clock }, store, random)),
//!         "optimistic" => Arc::new(OptimisticVersion::new(StockAdjustment { clock }, store, random)),
//!         "conditional" => Arc::new(ConditionalUpdate::new(StockAdjustmentInPlace { clock }, store, random)),
//!         "spin lock" => {
//!             let locks = Locks::new(Arc::new(MemoryLocks::new()), Arc::clone(&random));
//!             Arc::new(SpinLock::new(StockAdjustment { clock }, store, random, locks, Tenure::UNIT_OF_WORK, Patience::SPIN))
//!         }
//!         // Only where no other process writes.
//!         "keyed lock" => Arc::new(KeyedLock::new(StockAdjustment { clock }, store, random, Duration::from_secs(10)).ok()?),
//!         "group commit" => GroupCommit::start(store, random, GroupCommitLimits::default()).desk(StockAdjustment { clock }),
//!         _ => return None,
//!     })
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
//! let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
//! let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
//! let option_id = OptionId::new(1)?;
//! let (stock, first) = Stock::open(option_id, StockQuantity::new(6)?, clock.now());
//! let mut uow = store.begin().await?;
//! uow.stock().open(&[stock], &[first]).await?;
//! uow.commit().await?;
//!
//! for (name, left) in ["row lock", "optimistic", "conditional", "spin lock", "keyed lock", "group commit"].into_iter().zip([5, 4, 3, 2, 1, 0]) {
//!     let guard = choose(name, &store, Arc::clone(&clock), &random).expect("a guard");
//!     let taken = guard.run(AdjustStock { option_id, delta: -1, reason: "sold".to_owned() }).await?;
//!     assert_eq!(taken, StockQuantity::new(left), "{name}");
//!     assert_eq!(guard.counts().attempts, 1, "{name}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conditional_update;
mod counter;
mod counter_in_front;
mod counts;
mod desk;
mod error;
mod keyed_lock;
mod optimistic_version;
mod row_lock;
mod spin_lock;
mod traits;
mod work;

pub use conditional_update::ConditionalUpdate;
pub use counter::{Admission, AdmissionCounter, CounterError, InProcessCounter};
pub use counter_in_front::{CounterInFront, Ration, Share};
pub use counts::GuardCounts;
pub(crate) use counts::Tally;
pub use error::GuardError;
pub use keyed_lock::{KeyedLock, ManyWriters};
pub use optimistic_version::OptimisticVersion;
pub use row_lock::RowLock;
pub use spin_lock::SpinLock;
pub use traits::{Conditional, Contended, Rechecked};

use crate::store::Handler;
use async_trait::async_trait;
use std::sync::Arc;

/// Carries out commands so that nothing is lost when many want to change the same row.
#[async_trait]
pub trait Guard: Send + Sync {
    /// What is asked for.
    type Command: Send + 'static;
    /// What became of it: its result or a typed refusal.
    type Verdict: Send + 'static;

    /// Carries out a command, in a unit of work of its own or with others, and answers once it is committed.
    ///
    /// # Errors
    /// [`GuardError`]: nothing was changed, unless it [is unknown](GuardError::is_unknown).
    async fn run(&self, command: Self::Command) -> Result<Self::Verdict, GuardError>;

    /// What its work has cost so far.
    fn counts(&self) -> GuardCounts;
}

/// Any guard of a use case: of its commands and verdicts, whatever handler it runs.
pub type GuardFor<H> = dyn Guard<Command = <H as Handler>::Command, Verdict = <H as Handler>::Verdict>;

#[async_trait]
impl<G: Guard + ?Sized> Guard for Arc<G> {
    type Command = G::Command;
    type Verdict = G::Verdict;

    async fn run(&self, command: G::Command) -> Result<G::Verdict, GuardError> {
        G::run(self, command).await
    }

    fn counts(&self) -> GuardCounts {
        G::counts(self)
    }
}

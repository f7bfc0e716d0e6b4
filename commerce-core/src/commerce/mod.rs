//! The facade: one value through which an embedder, the HTTP layer and the binaries run the shop.

mod commands;
mod coupons;
mod desks;
mod lookups;
mod reads;
mod watch;
mod workers;

pub use commands::CommandError;
pub use coupons::{AdmissionError, SweepError};
pub use desks::Desks;
pub use watch::{OrderWatch, TaskWatch};

use self::coupons::Swept;
use self::lookups::{CouponLookup, OrderLookup, ProductLookup, RequestLookup};
use crate::audit::{AuditError, AuditOptions, AuditProgress, AuditReport, Audited, audit};
use crate::cache::{ReadCache, ReadThrough};
use crate::coupon::{CouponGate, GateKeeper};
use crate::lock::{DistributedLock, Locks};
use crate::messaging::{MessageBus, SagaPace};
use crate::notify::Notifier;
use crate::ranking::{Ranking, RankingBoard, RankingKeeper};
use crate::store::{GroupCommit, GroupCommitLimits, GroupRead, IdAllocator, Lookup, Random, Store};
use crate::user::PasswordHasher;
use crate::{BusinessCalendar, Clock, CouponId};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many queries of each kind run at once.
const GROUP_READS_IN_FLIGHT_MAX: usize = 2;

/// The adapters a shop is made of.
#[derive(Clone)]
pub struct Parts {
    /// Where its data lives.
    pub store: Arc<dyn Store>,
    /// How events travel.
    pub bus: Arc<dyn MessageBus>,
    /// How waiting clients are told.
    pub notifier: Arc<dyn Notifier>,
    /// What keeps two processes from doing the same thing.
    pub locks: Arc<dyn DistributedLock>,
    /// Who is admitted to coupons.
    pub gate: Arc<dyn CouponGate>,
    /// Where sales are counted.
    pub board: Arc<dyn RankingBoard>,
    /// What is kept of what is read often.
    pub cache: Arc<dyn ReadCache>,
    /// Who gives ids.
    pub ids: Arc<dyn IdAllocator>,
    /// Who hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// What the time is.
    pub clock: Arc<dyn Clock>,
    /// Randomness for back-off.
    pub random: Arc<dyn Random>,
}

impl Parts {
    /// What an [`audit`] of a shop made of these parts looks at.
    pub fn audited(&self) -> Audited<'_> {
        let Self { store, gate, board, clock, .. } = self;
        Audited { store: store.as_ref(), gate: gate.as_ref(), board: board.as_ref(), clock: clock.as_ref() }
    }
}

/// How a shop is to behave.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The business time zone.
    pub calendar: BusinessCalendar,
    /// How long an order can be paid.
    pub payment_deadline: Duration,
    /// How long after an admission a user is not admitted to the same coupon again; zero turns it off.
    pub coupon_window: Duration,
    /// The bounds of group commit.
    pub group_commit: GroupCommitLimits,
    /// When the steps of a saga are taken by consumers of this process.
    pub saga_pace: SagaPace,
    /// Whether this process reaches the gates that requests for coupons pass.
    pub gates: GatePlacement,
}

impl Default for Settings {
    /// UTC, 15 minutes, 3 minutes, and the default bounds of group commit.
    fn default() -> Self {
        Self {
            calendar: BusinessCalendar::UTC,
            payment_deadline: Duration::from_mins(15),
            coupon_window: Duration::from_mins(3),
            group_commit: GroupCommitLimits::default(),
            saga_pace: SagaPace::default(),
            gates: GatePlacement::default(),
        }
    }
}

/// Where the gates are that requests for coupons pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatePlacement {
    /// In this process, or in a service it shares with others.
    #[default]
    WithinReach,
    /// In the memory of another process, which keeps them itself: this one sees to what is stored alone.
    InAnotherProcess,
}

/// A running shop. Cloning it is cheap; all clones are the same shop.
#[derive(Clone)]
pub struct Commerce(Arc<Shop>);

struct Shop {
    parts: Parts,
    settings: Settings,
    locks: Locks,
    desks: Desks,
    group_commit: Arc<GroupCommit>,
    ranking: Ranking,
    orders: Arc<GroupRead<OrderLookup>>,
    products: Arc<GroupRead<ProductLookup>>,
    coupons: Arc<GroupRead<CouponLookup>>,
    requests: Arc<GroupRead<RequestLookup>>,
    gates: GateKeeper,
    /// The coupons whose gates are being rebuilt by this process.
    rebuilding: Mutex<HashSet<CouponId>>,
    swept: Mutex<Swept>,
    stop: CancellationToken,
    workers: TaskTracker,
    /// Told to end once nothing is appended any more.
    relays: TaskTracker,
    stop_relays: CancellationToken,
}

impl Commerce {
    /// Opens a shop for commands and reads. Events are handled once [`start_consumers`](Self::start_consumers) was called in some process of the
    /// shop, and jobs are done once [`start_scheduler`](Self::start_scheduler) was. Where the bus does not read the outbox itself, events travel
    /// once [`start_relay`](Self::start_relay) was called in some process.
    ///
    /// It must be called within a tokio runtime.
    pub fn open(parts: Parts, settings: Settings) -> Self {
        let group_commit = GroupCommit::start(Arc::clone(&parts.store), Arc::clone(&parts.random), settings.group_commit);
        let desks = Desks::open(&group_commit, &parts, &settings);
        let store = || Arc::clone(&parts.store);
        let locks = Locks::new(Arc::clone(&parts.locks), Arc::clone(&parts.random));
        let gates = GateKeeper { store: store(), gate: Arc::clone(&parts.gate), locks: locks.clone() };
        let keeper = RankingKeeper { store: store(), board: Arc::clone(&parts.board), locks: locks.clone(), calendar: settings.calendar };
        let cached = Arc::new(ReadThrough::new(Arc::clone(&parts.cache)));
        let ranking = Ranking::new(keeper, Arc::clone(&cached));
        let (stop, workers) = (CancellationToken::new(), TaskTracker::new());
        let orders = group_read(OrderLookup(store()), &stop, &workers);
        let products = group_read(ProductLookup { store: store(), cached }, &stop, &workers);
        let coupons = group_read(CouponLookup(store()), &stop, &workers);
        let requests = group_read(RequestLookup(store()), &stop, &workers);
        let (rebuilding, swept) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shop {
            parts,
            settings,
            locks,
            desks,
            group_commit,
            ranking,
            orders,
            products,
            coupons,
            requests,
            gates,
            rebuilding,
            swept,
            stop,
            workers,
            relays: TaskTracker::new(),
            stop_relays: CancellationToken::new(),
        }))
    }

    /// The adapters the shop is made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// The locks that keep two processes of the shop from doing the same thing.
    pub fn locks(&self) -> &Locks {
        &self.0.locks
    }

    /// How the shop behaves.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The desks where commands are handed in, for callers that bring idempotency keys.
    pub fn desks(&self) -> &Desks {
        &self.0.desks
    }

    /// Checks every invariant, beside whatever goes on. `progress` is told how far it is.
    ///
    /// # Errors
    /// [`AuditError`] if it could not look.
    pub async fn audit(&self, options: AuditOptions, progress: &mut (dyn FnMut(AuditProgress) + Send)) -> Result<AuditReport, AuditError> {
        audit(self.0.parts.audited(), options, progress).await
    }

    /// Ends consumers and scheduler, then commits what waits, then carries what was appended. Commands that come later are refused.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.workers.close();
        self.0.workers.wait().await;
        self.0.group_commit.shutdown().await;
        self.0.stop_relays.cancel();
        self.0.relays.close();
        self.0.relays.wait().await;
    }
}

fn group_read<L: Lookup>(lookup: L, stop: &CancellationToken, workers: &TaskTracker) -> Arc<GroupRead<L>> {
    let reads = Arc::new(GroupRead::new(lookup, stop.clone()));
    for _ in 0..GROUP_READS_IN_FLIGHT_MAX {
        workers.spawn(Arc::clone(&reads).work());
    }
    reads
}

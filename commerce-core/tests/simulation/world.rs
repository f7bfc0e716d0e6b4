//! What outlives a process: store, bus, gate, boards, locks, the clock – and what the run has shown so far.

use crate::clock::JumpingClock;
use crate::dice::Dice;
use crate::history::History;
use crate::parts::Weather;
use crate::process::Process;
use crate::tally::Tally;
use crate::told::Told;
use commerce_core::coupon::InProcessGate;
use commerce_core::messaging::SagaPace;
use commerce_core::store::GroupCommitLimits;
use commerce_core::testing::{Fault, FaultyStore, MemoryBoard, MemoryBus, MemoryCache, MemoryLocks, MemoryNotifier, MemoryStore};
use commerce_core::{BusinessCalendar, CouponId, OptionId, ProductId, Settings, Timestamp};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// 2026-03-27T14:59:50Z: just before midnight in Seoul, and two days before clocks change in Europe.
const BEGINS_AT: Timestamp = Timestamp::from_millis(1_774_623_590_000);
pub(crate) const ZONES: [&str; 4] = ["UTC", "Asia/Seoul", "Europe/Berlin", "America/New_York"];
const FAULTY_PERCENT: u8 = 7;

/// What is on offer.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) products: Vec<ProductId>,
    pub(crate) options: Vec<OptionId>,
    pub(crate) coupons: Vec<CouponId>,
}

/// Everything but the processes' memory.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<JumpingClock>,
    pub(crate) memory: MemoryStore,
    pub(crate) faulty: Arc<FaultyStore>,
    pub(crate) bus: MemoryBus,
    pub(crate) gate: InProcessGate,
    pub(crate) board: MemoryBoard,
    pub(crate) cache: MemoryCache,
    pub(crate) locks: MemoryLocks,
    pub(crate) notifier: MemoryNotifier,
    pub(crate) weather: Arc<Weather>,
    pub(crate) processes: RefCell<Vec<Option<Process>>>,
    /// Whether processes may still crash.
    pub(crate) crashes: Cell<bool>,
    pub(crate) gate_wiped: Cell<bool>,
    pub(crate) catalog: RefCell<Catalog>,
    pub(crate) told: RefCell<Told>,
    pub(crate) history: RefCell<History>,
    tally: Arc<Mutex<Tally>>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = Dice::of(seed, 0);
        let (memory, clock) = (MemoryStore::new(), Arc::new(JumpingClock::starting_at(BEGINS_AT)));
        let faulty = Arc::new(FaultyStore::scripted(Arc::new(memory.clone()), []));
        let tally = Arc::<Mutex<Tally>>::default();
        Self {
            seed,
            settings: settings(&dice),
            history: RefCell::new(History::new(Arc::clone(&clock))),
            clock,
            memory,
            faulty,
            bus: MemoryBus::new(),
            gate: InProcessGate::new(),
            board: MemoryBoard::new(),
            cache: MemoryCache::new(),
            locks: MemoryLocks::new(),
            notifier: MemoryNotifier::new(),
            weather: Arc::new(Weather::new(Dice::of(seed, 1), Arc::clone(&tally))),
            processes: RefCell::default(),
            crashes: Cell::new(false),
            gate_wiped: Cell::new(false),
            catalog: RefCell::default(),
            told: RefCell::default(),
            tally,
        }
    }

    /// From now on things go wrong.
    pub(crate) fn turn_bad(&self) {
        self.faulty.trouble(self.seed, FAULTY_PERCENT, &Fault::ALL);
        self.weather.turn_bad();
        self.bus.misbehave(self.seed);
        self.crashes.set(true);
    }

    /// From now on nothing goes wrong, and the clock shows what it would if it had never jumped back.
    pub(crate) fn heal(&self) {
        self.faulty.heal();
        self.weather.clear_up();
        self.bus.behave();
        self.crashes.set(false);
        self.clock.catch_up();
        self.processes.borrow().iter().flatten().for_each(Process::put_out_fuse);
        self.note("everyone", "the faults heal");
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, kind: &'static str, which: &'static str) {
        self.tally().count(kind, which);
    }

    pub(crate) fn note(&self, who: &str, what: &str) {
        self.history.borrow_mut().note(who, what);
    }

    /// Takes down that something is not as it must be.
    pub(crate) fn broken(&self, what: &str) {
        self.history.borrow_mut().broken(what);
    }

    pub(crate) fn must(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken(&what());
        }
    }
}

fn settings(dice: &Dice) -> Settings {
    let zone = ZONES[dice.below(ZONES.len())];
    Settings {
        calendar: BusinessCalendar::named(zone).unwrap_or(BusinessCalendar::UTC),
        payment_deadline: Duration::from_secs([6, 60, 900][dice.below(3)]),
        coupon_window: Duration::from_secs([0, 2, 180][dice.below(3)]),
        group_commit: GroupCommitLimits { batches_in_flight_max: 1 + dice.below(2), ..GroupCommitLimits::default() },
        saga_pace: if dice.chance(50) { SagaPace::WithinCommit } else { SagaPace::ByMessage },
        ..Settings::default()
    }
}

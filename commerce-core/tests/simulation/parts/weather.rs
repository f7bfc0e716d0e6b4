use super::Moment;
use crate::dice::Dice;
use crate::tally::Tally;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SLOW_PERCENT: u8 = 25;
const SLOW_MS: u64 = 8;
const VERY_SLOW_PERCENT: u8 = 1;
const VERY_SLOW_MS: u64 = 2_000;
const FAILING_PERCENT: u8 = 4;

/// A call that leaves the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Begin,
    Commit,
    Lease,
    Purge,
    Publish,
    Subscribe,
    Poll,
    Acknowledge,
    Gate,
    Board,
    Cache,
    Lock,
    Notify,
}

impl Call {
    pub(crate) const ALL: [Self; 13] = [
        Self::Begin,
        Self::Commit,
        Self::Lease,
        Self::Purge,
        Self::Publish,
        Self::Subscribe,
        Self::Poll,
        Self::Acknowledge,
        Self::Gate,
        Self::Board,
        Self::Cache,
        Self::Lock,
        Self::Notify,
    ];

    /// Those that fail by the weather; units of work fail by the faults of the store.
    pub(crate) const FAILING: [Self; 9] =
        [Self::Publish, Self::Subscribe, Self::Poll, Self::Acknowledge, Self::Gate, Self::Board, Self::Cache, Self::Lock, Self::Notify];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Commit => "commit",
            Self::Lease => "lease",
            Self::Purge => "purge",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Poll => "poll",
            Self::Acknowledge => "acknowledge",
            Self::Gate => "gate",
            Self::Board => "board",
            Self::Cache => "cache",
            Self::Lock => "lock",
            Self::Notify => "notify",
        }
    }
}

/// How well services are reached: calls are late, and fail before or after they took effect.
pub(crate) struct Weather {
    dice: Dice,
    bad: AtomicBool,
    pub(crate) tally: Arc<Mutex<Tally>>,
}

impl Weather {
    /// Good weather at first.
    pub(crate) fn new(dice: Dice, tally: Arc<Mutex<Tally>>) -> Self {
        Self { dice, bad: AtomicBool::new(false), tally }
    }

    pub(crate) fn turn_bad(&self) {
        self.bad.store(true, Ordering::SeqCst);
    }

    pub(crate) fn clear_up(&self) {
        self.bad.store(false, Ordering::SeqCst);
    }

    pub(crate) fn count(&self, kind: &'static str, which: &'static str) {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).count(kind, which);
    }

    fn strikes(&self, percent: u8) -> bool {
        self.bad.load(Ordering::SeqCst) && self.dice.chance(percent)
    }

    /// How late a call is.
    pub(super) fn delay(&self) -> Option<Duration> {
        if self.strikes(VERY_SLOW_PERCENT) {
            return Some(self.dice.millis(VERY_SLOW_MS));
        }
        self.strikes(SLOW_PERCENT).then(|| self.dice.millis(SLOW_MS))
    }

    /// Whether a call fails, and whether it takes effect all the same.
    pub(super) fn failure(&self, call: Call) -> Option<Moment> {
        if !self.strikes(FAILING_PERCENT) {
            return None;
        }
        let moment = if self.dice.chance(50) { Moment::Before } else { Moment::After };
        match moment {
            Moment::Before => self.count("fails before", call.name()),
            Moment::After => self.count("fails after", call.name()),
        }
        Some(moment)
    }
}

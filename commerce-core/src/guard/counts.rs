use std::sync::atomic::{AtomicU64, Ordering};

/// What a guard has done so far, and what was done in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GuardCounts {
    /// Commands that were answered with a verdict.
    pub served: u64,
    /// Units of work that were begun, or that a desk has begun with commands of it.
    pub attempts: u64,
    /// Units of work that were rolled back because another one came between.
    pub conflicts: u64,
    /// How often a lock was found held: each one a try of the lock service in vain, or a place in a queue.
    pub waits: u64,
    /// Commands that were given up because others came between, or held the lock, for too long.
    pub gave_up: u64,
    /// Commands that were turned away without a unit of work.
    pub turned_away: u64,
}

/// Counts for a guard; cheap enough for every step.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    served: AtomicU64,
    attempts: AtomicU64,
    conflicts: AtomicU64,
    waits: AtomicU64,
    gave_up: AtomicU64,
    turned_away: AtomicU64,
}

impl Tally {
    pub(crate) fn served(&self, commands: usize) {
        self.served.fetch_add(u64::try_from(commands).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn waited(&self, times: u32) {
        self.waits.fetch_add(u64::from(times), Ordering::Relaxed);
    }

    pub(super) fn gave_up(&self, guard: &'static str) {
        metrics::counter!("commerce_guard_gave_up_total", "guard" => guard).increment(1);
        self.gave_up.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> GuardCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        GuardCounts {
            served: read(&self.served),
            attempts: read(&self.attempts),
            conflicts: read(&self.conflicts),
            waits: read(&self.waits),
            gave_up: read(&self.gave_up),
            turned_away: read(&self.turned_away),
        }
    }
}

use crate::store::{Backoff, Random};
use std::time::Duration;

/// How somebody waits for a lock that is held: it tries again and again, and sleeps with full jitter in between, as [`Backoff`] does.
///
/// Nobody queues: whoever tries first after a release has it. Jitter is what serves everybody in the end. The more there are who wait, the longer
/// the cap should be, because a try costs the service as much as a grant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The longest first sleep: about as long as the lock is held as a rule.
    pub base: Duration,
    /// The longest sleep of all; how long a free lock may stay untaken.
    pub cap: Duration,
    /// How long to wait at most.
    pub wait_max: Duration,
    /// What ends a sleep early.
    pub wake: Wake,
}

/// What ends the sleep of somebody who waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Nothing: it spins.
    Never,
    /// Being told that the lock was let go, if the service tells and a single lock is waited for; else it spins. It costs a subscription for
    /// each lock that is waited for, and saves most of the tries.
    Release,
}

impl Patience {
    /// For locks that are held for a unit of work: sleeps of 2 ms doubling up to 50 ms, for 10 seconds at most.
    pub const SPIN: Self =
        Self { base: Duration::from_millis(2), cap: Duration::from_millis(50), wait_max: Duration::from_secs(10), wake: Wake::Never };

    /// The same, but woken by releases.
    pub const TOLD: Self = Self { wake: Wake::Release, ..Self::SPIN };

    /// How long to sleep after the lock was found held `refusals` times. Who is told of releases has no reason to look sooner than the cap says.
    pub(super) fn sleep(&self, refusals: u32, told: bool, random: &dyn Random) -> Duration {
        let base = if told { self.cap } else { self.base };
        Backoff { base, cap: self.cap, attempts_max: u32::MAX }.jitter(refusals, random)
    }
}

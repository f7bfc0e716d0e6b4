//! The clock on the wall: it follows virtual time, and jumps.

use commerce_core::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::time::Instant;

/// Shows virtual time plus an offset that the seed moves in both directions.
pub(crate) struct JumpingClock {
    began: Instant,
    began_at: Timestamp,
    offset_ms: AtomicI64,
    furthest_ms: AtomicI64,
}

impl JumpingClock {
    pub(crate) fn starting_at(began_at: Timestamp) -> Self {
        Self { began: Instant::now(), began_at, offset_ms: AtomicI64::new(0), furthest_ms: AtomicI64::new(0) }
    }

    /// Time that only goes forwards, since the run began.
    pub(crate) fn running_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    pub(crate) fn jump(&self, millis: i64) {
        let offset = self.offset_ms.fetch_add(millis, Ordering::SeqCst) + millis;
        self.furthest_ms.fetch_max(offset, Ordering::SeqCst);
    }

    /// Moves the clock to where it was before it jumped back.
    pub(crate) fn catch_up(&self) {
        self.offset_ms.fetch_max(self.furthest_ms.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.began_at.millis() + self.running_ms() + self.offset_ms.load(Ordering::SeqCst))
    }
}

use commerce_core::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const PRESENT: i64 = i64::MIN;

/// A clock that can stand still in the past, so that the demo's sales are days old.
pub(super) struct DemoClock {
    present: Arc<dyn Clock>,
    stands_at: AtomicI64,
}

impl DemoClock {
    pub(super) fn new(present: Arc<dyn Clock>) -> Self {
        Self { present, stands_at: AtomicI64::new(PRESENT) }
    }

    pub(super) fn present(&self) -> Timestamp {
        self.present.now()
    }

    pub(super) fn stand_still_at(&self, at: Timestamp) {
        self.stands_at.store(at.millis(), Ordering::Release);
    }

    pub(super) fn follow_the_present(&self) {
        self.stands_at.store(PRESENT, Ordering::Release);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        match self.stands_at.load(Ordering::Acquire) {
            PRESENT => self.present.now(),
            at => Timestamp::from_millis(at),
        }
    }
}

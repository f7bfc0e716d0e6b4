//! What only one may do at a time.

use crate::figures::Verdict;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// For each key a number that is counted up in two steps, and the last fence that was shown.
#[derive(Clone)]
pub(super) struct Section(Arc<[Place]>);

#[derive(Default)]
struct Place {
    count: AtomicU64,
    fence: AtomicU64,
    stale: AtomicU64,
}

impl Section {
    pub(super) fn new(keys: u64) -> Self {
        Self((0..keys).map(|_| Place::default()).collect())
    }

    /// Counts up the numbers of these keys, whose locks the caller holds; it gives others every chance to come between.
    pub(super) async fn enter(&self, keys: impl Iterator<Item = (usize, Option<u64>)> + Clone + Send) {
        let seen: Vec<u64> = keys.clone().map(|(key, _)| self.0[key].count.load(Ordering::Relaxed)).collect();
        tokio::task::yield_now().await;
        for ((key, fence), seen) in keys.zip(seen) {
            self.0[key].count.store(seen + 1, Ordering::Relaxed);
            if let Some(fence) = fence {
                let last = self.0[key].fence.swap(fence, Ordering::Relaxed);
                self.0[key].stale.fetch_add(u64::from(last >= fence), Ordering::Relaxed);
            }
        }
    }

    /// Whether the numbers add up to as many entries as there were.
    pub(super) fn verdict(&self, entries: u64) -> Verdict {
        let sum = |of: fn(&Place) -> &AtomicU64| self.0.iter().map(|place| of(place).load(Ordering::Relaxed)).sum::<u64>();
        let (counted, stale) = (sum(|place| &place.count), sum(|place| &place.stale));
        if counted != entries {
            return Verdict::Wrong(format!("{entries} entries were counted as {counted}"));
        }
        if stale > 0 {
            return Verdict::Wrong(format!("{stale} fences were not larger than the one before"));
        }
        Verdict::Right
    }
}

//! Counts what the library counts: tries in vain, units of work that were run again.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The counters of the process.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<HashMap<Key, Arc<AtomicU64>>>>);

impl Tally {
    /// Counts from now on whatever anybody in this process counts.
    ///
    /// # Panics
    /// If somebody counts already.
    pub(crate) fn install() -> Self {
        let tally = Self::default();
        assert!(metrics::set_global_recorder(tally.clone()).is_ok(), "a process counts once");
        tally
    }

    /// What each counter says, by its name and, in braces, the values of its labels but for `kind`.
    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (key, count) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let labels: Vec<_> = key.labels().filter(|label| label.key() != "kind").map(metrics::Label::value).collect();
            let name = if labels.is_empty() { key.name().to_owned() } else { format!("{}{{{}}}", key.name(), labels.join(",")) };
            *counts.entry(name).or_default() += count.load(Ordering::Relaxed);
        }
        counts
    }
}

impl Recorder for Tally {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get(key) {
            return Counter::from_arc(Arc::clone(count));
        }
        Counter::from_arc(Arc::clone(counts.entry(key.clone()).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

use async_trait::async_trait;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Why a counter could not answer. Whether it did what it was asked for is not known.
#[derive(Debug, thiserror::Error)]
#[error("the counter is unavailable")]
pub struct CounterError(#[from] pub Box<dyn Error + Send + Sync>);

/// What a counter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As many were left, and are taken.
    Taken,
    /// Fewer are left; nothing was taken.
    TooLate,
    /// The counter was not told of it, or not for a long time.
    Unknown,
}

/// Counts what is left of things that many want, fast and in one atomic step. It may forget and it may be wrong: it is never the judge.
///
/// A count is believed for as long as whoever told it said, and unknown afterwards: whatever it missed is wrong for no longer than that. A call
/// that is made again by the adapter itself, because its answer did not arrive, MUST count once.
#[async_trait]
pub trait AdmissionCounter: Send + Sync {
    /// Takes `units` if as many are left. Of any number that ask at the same time no more MUST be told [`Admission::Taken`] than there is.
    ///
    /// # Errors
    /// [`CounterError`] if the counter cannot be reached; the units may be taken then.
    async fn take(&self, name: &str, units: u64) -> Result<Admission, CounterError>;

    /// Adds `units` that were given back, or that are new. What is unknown MUST stay so.
    ///
    /// # Errors
    /// [`CounterError`] if the counter cannot be reached; the units may be added then.
    async fn give(&self, name: &str, units: u64) -> Result<(), CounterError>;

    /// Tells how many are left, to be believed for `believed`, at least a millisecond. What is known MUST stay as it is: of several who tell at
    /// the same time the first one counts.
    ///
    /// # Errors
    /// [`CounterError`] if the counter cannot be reached; it may know then.
    async fn tell(&self, name: &str, left: u64, believed: Duration) -> Result<(), CounterError>;
}

/// A counter in the memory of this process. It keeps a small entry for every name that it was ever told of; clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct InProcessCounter {
    counts: Arc<Mutex<HashMap<String, Count>>>,
}

#[derive(Debug)]
struct Count {
    left: u64,
    until: Instant,
}

impl InProcessCounter {
    /// A counter that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known at present.
fn known<'a>(counts: &'a mut HashMap<String, Count>, name: &str) -> Option<&'a mut u64> {
    counts.get_mut(name).filter(|count| Instant::now() < count.until).map(|count| &mut count.left)
}

#[async_trait]
impl AdmissionCounter for InProcessCounter {
    async fn take(&self, name: &str, units: u64) -> Result<Admission, CounterError> {
        let mut counts = self.counts();
        let Some(left) = known(&mut counts, name) else { return Ok(Admission::Unknown) };
        let Some(rest) = left.checked_sub(units) else { return Ok(Admission::TooLate) };
        *left = rest;
        Ok(Admission::Taken)
    }

    async fn give(&self, name: &str, units: u64) -> Result<(), CounterError> {
        if let Some(left) = known(&mut self.counts(), name) {
            *left = left.saturating_add(units);
        }
        Ok(())
    }

    async fn tell(&self, name: &str, left: u64, believed: Duration) -> Result<(), CounterError> {
        let mut counts = self.counts();
        if known(&mut counts, name).is_none() {
            counts.insert(name.to_owned(), Count { left, until: Instant::now() + believed });
        }
        Ok(())
    }
}

//! How long a shop takes to serve again.

use super::customers::{Journal, Kind};
use std::time::Duration;
use tokio::time::Instant;

/// The rate of a shop is looked at over this time.
const RATE_OVER: Duration = Duration::from_secs(1);
/// It is normal again when it is this part of what it was before.
const NORMAL_PERCENT: usize = 80;

/// How a shop has recovered from a fault.
#[derive(Debug, Clone)]
pub(crate) struct Recovery {
    /// Until the first request of each kind was served.
    pub(crate) first_served: Vec<(Kind, Duration)>,
    /// Until as many were served as before.
    pub(crate) normal_rate: Duration,
}

/// How many requests were served in the time a rate is looked at over, until now.
pub(crate) fn present_rate(journal: &Journal) -> usize {
    let since = Instant::now().checked_sub(RATE_OVER).expect("a moment after the start of the clock");
    journal.served_since(since).len()
}

impl Recovery {
    /// How a shop has recovered since a moment; `None` while it has not.
    pub(crate) fn since(moment: Instant, normal_rate: usize, journal: &Journal) -> Option<Self> {
        let first_served = journal.first_served_since(moment);
        if first_served.len() < Kind::ALL.len() {
            return None;
        }
        let served = journal.served_since(moment);
        let enough = (normal_rate * NORMAL_PERCENT / 100).max(1);
        let is_normal = |from: &usize| {
            let until = served[*from].at + RATE_OVER;
            until <= Instant::now() && served[*from..].partition_point(|served| served.at < until) >= enough
        };
        let normal = (0..served.len()).find(is_normal)?;
        Some(Self { first_served, normal_rate: served[normal].at.duration_since(moment) })
    }
}

use super::{Journal, Kind};
use std::time::Duration;
use tokio::time::Instant;

/// The rate of a shop is looked at over this time.
const RATE_OVER: Duration = Duration::from_secs(1);
/// It is normal again when it is this part of what it was before.
const NORMAL_PERCENT: usize = 80;

/// How long a shop took to serve again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Until the first request of each kind was served.
    pub(crate) first_served: Vec<(Kind, Duration)>,
    /// Until as many were served as before.
    pub(crate) normal_rate: Duration,
}

impl Journal {
    /// How many requests were served in the time a rate is looked at over, before a moment.
    pub(crate) fn rate_before(&self, moment: Instant) -> usize {
        let from = moment.checked_sub(RATE_OVER).expect("a moment after the start of the clock");
        self.served_after(from).into_iter().filter(|ended| *ended < moment).count()
    }

    /// How long it took each kind of request to be served again, of those that were.
    pub(crate) fn first_served_since(&self, fault_ended: Instant) -> Vec<(Kind, Duration)> {
        let first = |kind| Some((kind, self.first_served(kind, fault_ended)?.duration_since(fault_ended)));
        Kind::ALL.into_iter().filter_map(first).collect()
    }

    /// How the shop has recovered since a fault ended; `None` while it has not.
    pub(crate) fn recovery(&self, fault_ended: Instant, normal_rate: usize) -> Option<Recovery> {
        let first_served = self.first_served_since(fault_ended);
        let served = self.served_after(fault_ended);
        let enough = normal_rate * NORMAL_PERCENT / 100;
        let normal = (0..served.len()).find(|from| {
            let until = served[*from] + RATE_OVER;
            until <= Instant::now() && served[*from..].iter().take_while(|ended| **ended < until).count() >= enough
        });
        let normal_rate = served[normal?].duration_since(fault_ended);
        (first_served.len() == Kind::ALL.len()).then_some(Recovery { first_served, normal_rate })
    }
}

//! What was measured, and how it is shown.

use crate::figures::Quantiles;
use crate::measure::latencies::Latencies;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A request of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Charge,
    Order,
    Poll,
    Pay,
    Read,
}

impl Step {
    const ALL: [Self; 5] = [Self::Charge, Self::Order, Self::Poll, Self::Pay, Self::Read];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Order => "order",
            Self::Poll => "poll",
            Self::Pay => "pay",
            Self::Read => "read",
        }
    }
}

/// Latencies and counts. What ends outside the measured time counts as sold and as failed, but not into rates and latencies.
pub(super) struct Results {
    begin: Instant,
    end: Instant,
    steps: [Latencies; 5],
    requests: Latencies,
    purchases: Latencies,
    purchases_in_all: u64,
    failures: BTreeMap<String, u64>,
}

impl Results {
    pub(super) fn between(begin: Instant, end: Instant) -> Self {
        Self {
            begin,
            end,
            steps: std::array::from_fn(|_| Latencies::new()),
            requests: Latencies::new(),
            purchases: Latencies::new(),
            purchases_in_all: 0,
            failures: BTreeMap::new(),
        }
    }

    fn latency(&self, since: Instant) -> Option<Duration> {
        let now = Instant::now();
        (self.begin <= now && now <= self.end).then(|| now - since)
    }

    pub(super) fn answered(&mut self, step: Step, since: Instant) {
        if let Some(latency) = self.latency(since) {
            self.steps[step as usize].record(latency);
            self.requests.record(latency);
        }
    }

    pub(super) fn bought(&mut self, since: Instant) {
        self.purchases_in_all += 1;
        if let Some(latency) = self.latency(since) {
            self.purchases.record(latency);
        }
    }

    pub(super) fn failed(&mut self, why: &str) {
        *self.failures.entry(why.to_owned()).or_default() += 1;
    }

    pub(super) const fn purchases_in_all(&self) -> u64 {
        self.purchases_in_all
    }

    pub(super) fn purchases_per_second(&self) -> f64 {
        self.purchases.per_second(self.lasting())
    }

    /// How long the purchases took.
    pub(super) fn quantiles_us(&self) -> Quantiles {
        self.purchases.quantiles_us()
    }

    fn lasting(&self) -> Duration {
        self.end - self.begin
    }

    /// What went wrong, each with how often it did.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults: Vec<_> = self.failures.iter().map(|(why, times)| format!("{times} times: {why}")).collect();
        if self.purchases_in_all == 0 {
            faults.push("nothing was bought".into());
        }
        faults
    }

    pub(super) fn print(&self) {
        Latencies::print_header();
        for step in Step::ALL {
            self.steps[step as usize].print_row(step.name(), self.lasting());
        }
        self.requests.print_row("requests", self.lasting());
        self.purchases.print_row("purchases", self.lasting());
        println!();
        println!("errors {}", self.failures.values().sum::<u64>());
    }
}

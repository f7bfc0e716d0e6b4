//! What was measured, and how it is shown.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Instant;

const LATENCY_US_MAX: u64 = 120_000_000;
const DIGITS: u8 = 3;

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
pub(super) struct Figures {
    begin: Instant,
    end: Instant,
    steps: [Histogram<u64>; 5],
    requests: Histogram<u64>,
    purchases: Histogram<u64>,
    purchases_in_all: u64,
    failures: BTreeMap<String, u64>,
}

fn latencies() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_US_MAX, DIGITS).expect("the bounds are valid")
}

impl Figures {
    pub(super) fn between(begin: Instant, end: Instant) -> Self {
        Self {
            begin,
            end,
            steps: std::array::from_fn(|_| latencies()),
            requests: latencies(),
            purchases: latencies(),
            purchases_in_all: 0,
            failures: BTreeMap::new(),
        }
    }

    fn latency_us(&self, since: Instant) -> Option<u64> {
        let now = Instant::now();
        let measured = self.begin <= now && now <= self.end;
        measured.then(|| u64::try_from((now - since).as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn answered(&mut self, step: Step, since: Instant) {
        if let Some(latency_us) = self.latency_us(since) {
            self.steps[step as usize].saturating_record(latency_us);
            self.requests.saturating_record(latency_us);
        }
    }

    pub(super) fn bought(&mut self, since: Instant) {
        self.purchases_in_all += 1;
        if let Some(latency_us) = self.latency_us(since) {
            self.purchases.saturating_record(latency_us);
        }
    }

    pub(super) fn failed(&mut self, why: &str) {
        *self.failures.entry(why.to_owned()).or_default() += 1;
    }

    pub(super) const fn purchases_in_all(&self) -> u64 {
        self.purchases_in_all
    }

    pub(super) fn purchases_per_second(&self) -> f64 {
        self.per_second(&self.purchases)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of a benchmark is far below 2^52")]
    fn per_second(&self, latencies: &Histogram<u64>) -> f64 {
        latencies.len() as f64 / (self.end - self.begin).as_secs_f64()
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
        println!();
        println!("{:<10}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "per s", "p50 ms", "p95 ms", "p99 ms", "max ms");
        for step in Step::ALL {
            self.print_row(step.name(), &self.steps[step as usize]);
        }
        self.print_row("requests", &self.requests);
        self.print_row("purchases", &self.purchases);
        println!();
        println!("errors {}", self.failures.values().sum::<u64>());
    }

    fn print_row(&self, name: &str, latencies: &Histogram<u64>) {
        if latencies.is_empty() {
            return;
        }
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|quantile| latencies.value_at_quantile(quantile));
        let ms = |us: u64| format!("{}.{:02}", us / 1_000, us % 1_000 / 10);
        println!("{name:<10}{:>10.0}{:>10}{:>10}{:>10}{:>10}", self.per_second(latencies), ms(p50), ms(p95), ms(p99), ms(max));
    }
}

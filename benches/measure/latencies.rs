//! Latencies, and how they are shown.

use crate::figures::Quantiles;
use hdrhistogram::Histogram;
use std::time::Duration;

const LATENCY_US_MAX: u64 = 120_000_000;
const DIGITS: u8 = 3;

/// The latencies of one kind of request.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_max(LATENCY_US_MAX, DIGITS).expect("the bounds are valid"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of a benchmark is far below 2^52")]
    pub(crate) fn per_second(&self, lasting: Duration) -> f64 {
        self.0.len() as f64 / lasting.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "two minutes in microseconds are far below 2^52")]
    pub(crate) fn quantiles_us(&self) -> Quantiles {
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|quantile| self.0.value_at_quantile(quantile) as f64);
        Quantiles { p50, p95, p99, max }
    }

    pub(crate) fn print_header() {
        println!();
        println!("{:<10}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "per s", "p50 ms", "p95 ms", "p99 ms", "max ms");
    }

    /// A line of the table; none if nothing was recorded.
    pub(crate) fn print_row(&self, name: &str, lasting: Duration) {
        if self.0.is_empty() {
            return;
        }
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|quantile| self.0.value_at_quantile(quantile));
        let ms = |us: u64| format!("{}.{:02}", us / 1_000, us % 1_000 / 10);
        println!("{name:<10}{:>10.0}{:>10}{:>10}{:>10}{:>10}", self.per_second(lasting), ms(p50), ms(p95), ms(p99), ms(max));
    }
}

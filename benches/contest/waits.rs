//! How long contenders waited.

use crate::figures::Quantiles;
use hdrhistogram::Histogram;
use std::time::Duration;

const WAIT_NS_MAX: u64 = 120_000_000_000;
const DIGITS: u8 = 2;

/// How long each of many operations took.
pub(crate) struct Waits(Histogram<u64>);

impl Waits {
    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_max(WAIT_NS_MAX, DIGITS).expect("the bounds are valid"))
    }

    pub(crate) fn record(&mut self, wait: Duration) {
        self.0.saturating_record(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// In microseconds.
    pub(crate) fn quantiles_us(&self) -> Quantiles {
        let us = |quantile: f64| super::crowd::precise(self.0.value_at_quantile(quantile)) / 1_000.0;
        Quantiles { p50: us(0.5), p95: us(0.95), p99: us(0.99), max: us(1.0) }
    }
}

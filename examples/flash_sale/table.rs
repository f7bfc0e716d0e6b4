//! What came of it all, as a table.

use crate::buyer::{Answered, Outcome};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

const LATENCY_US_MAX: u64 = 600_000_000;
const DIGITS: u8 = 3;

/// One kind of request.
struct Row {
    name: &'static str,
    granted: u64,
    refused: BTreeMap<&'static str, u64>,
    latencies: Histogram<u64>,
}

impl Row {
    fn of<'a>(name: &'static str, answers: impl Iterator<Item = &'a Answered>) -> Self {
        let latencies = Histogram::new_with_max(LATENCY_US_MAX, DIGITS).expect("the bounds are valid");
        let mut row = Self { name, granted: 0, refused: BTreeMap::new(), latencies };
        for Answered { latency, refused } in answers {
            row.latencies.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
            match refused {
                None => row.granted += 1,
                Some(code) => *row.refused.entry(code.as_str()).or_default() += 1,
            }
        }
        row
    }

    fn print(&self) {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| self.latencies.value_at_quantile(quantile));
        let ms = |us: u64| format!("{}.{}", us / 1_000, us % 1_000 / 100);
        let (name, requests, granted) = (self.name, self.latencies.len(), self.granted);
        println!("{name:<10}{requests:>10}{granted:>10}{:>10}{:>10}{:>10}", ms(p50), ms(p95), ms(p99));
        for (code, times) in &self.refused {
            println!("{:<10}{times:>20}  {code}", "  refused");
        }
    }
}

/// What came of all requests.
pub(crate) struct Table {
    rows: [Row; 3],
    positions: Vec<u32>,
    lasting: Duration,
}

impl Table {
    pub(crate) fn of(outcomes: &[Outcome], lasting: Duration) -> Self {
        let mut positions: Vec<u32> = outcomes.iter().filter_map(|outcome| outcome.position).collect();
        positions.sort_unstable();
        let rows = [
            Row::of("coupon", outcomes.iter().map(|outcome| &outcome.coupon)),
            Row::of("order", outcomes.iter().map(|outcome| &outcome.order)),
            Row::of("payment", outcomes.iter().filter_map(|outcome| outcome.payment.as_ref())),
        ];
        Self { rows, positions, lasting }
    }

    /// How many orders were paid.
    pub(crate) const fn paid(&self) -> u64 {
        self.rows[2].granted
    }

    pub(crate) fn print(&self) {
        println!("{:<10}{:>10}{:>10}{:>10}{:>10}{:>10}", "", "requests", "granted", "p50 ms", "p95 ms", "p99 ms");
        self.rows.iter().for_each(Row::print);
        println!();
        if let (Some(first), Some(last)) = (self.positions.first(), self.positions.last()) {
            println!("places given: {} ({first} to {last})", self.positions.len());
        }
        let requests: u64 = self.rows.iter().map(|row| row.latencies.len()).sum();
        let seconds = self.lasting.as_secs_f64();
        println!("{} sold; {requests} requests in {seconds:.1} s: {:.0} a second", self.paid(), per_second(requests, seconds));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
fn per_second(requests: u64, seconds: f64) -> f64 {
    requests as f64 / seconds
}

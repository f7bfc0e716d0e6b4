//! What benches have measured, as they write it, as tables show it, and as a page is made of it.

mod book;
mod run;
mod table;

pub(crate) use book::Book;

use serde::{Deserialize, Serialize};

/// What was measured of one path in one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Where it ran, such as `SQLite` or `MySQL 9.7.1`.
    pub(crate) set_up: String,
    /// Which way the work was done.
    pub(crate) path: String,
    /// How many did it at once.
    pub(crate) contenders: u64,
    /// How many keys, rows or aggregates they shared.
    pub(crate) keys: u64,
    /// How many operations were done a second, all contenders together.
    pub(crate) per_second: f64,
    /// How long somebody waited for one operation, in microseconds.
    pub(crate) wait_us: Quantiles,
    /// What the set-up can do at best, measured in the same run.
    pub(crate) limit: Option<Limit>,
    /// What was done in vain.
    pub(crate) wasted: Vec<Waste>,
    /// Whether the result was right.
    pub(crate) verdict: Verdict,
}

/// How something is spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// Something simpler that no path can be faster than.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) per_second: f64,
}

/// Work that was done in vain, such as tries that found a lock held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waste {
    pub(crate) what: String,
    pub(crate) times: u64,
    /// For each operation that was done.
    pub(crate) per_operation: f64,
}

/// Whether the books were right afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// They were.
    Right,
    /// They were not: the figures count for nothing.
    Wrong(String),
    /// They were not, as was to be shown: this path is wrong on purpose.
    Caught(String),
}

impl Figure {
    /// How unevenly the waiting was shared: how many times longer than the median one in a hundred waited.
    pub(crate) fn unfairness(&self) -> Option<f64> {
        (self.wait_us.p50 > 0.0).then(|| self.wait_us.p99 / self.wait_us.p50)
    }

    /// Which part of its limit the path reaches.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let limit = self.limit.as_ref()?;
        (limit.per_second > 0.0).then(|| self.per_second / limit.per_second)
    }

    /// How much was done in vain for each operation, all kinds together.
    pub(crate) fn wasted_per_operation(&self) -> f64 {
        self.wasted.iter().fold(0.0, |sum, waste| sum + waste.per_operation)
    }

    /// Whether it counts.
    pub(crate) fn counts(&self) -> bool {
        self.verdict == Verdict::Right
    }
}

/// Whether this is `cargo bench`, which says so; without it this is a run of the tests, which want to know only that it works.
pub(crate) fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// A number as it is read: with commas, and with decimals only if it is small.
pub(crate) fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

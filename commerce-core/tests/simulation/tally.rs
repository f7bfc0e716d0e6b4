//! How often everything happened, over all seeds: what never happens proves nothing.

use std::collections::BTreeMap;
use std::fmt;

/// What kind of thing happened, and which one.
pub(crate) type What = (&'static str, &'static str);

/// How often what happened.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<What, u64>);

impl Tally {
    pub(crate) fn count(&mut self, kind: &'static str, which: &'static str) {
        self.add((kind, which), 1);
    }

    pub(crate) fn add(&mut self, what: What, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| self.add(*what, *times));
    }

    /// Which of these never happened.
    pub(crate) fn missing(&self, expected: impl IntoIterator<Item = What>) -> Vec<What> {
        expected.into_iter().filter(|what| self.0.get(what).copied().unwrap_or_default() == 0).collect()
    }
}

/// A table.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|((kind, which), times)| writeln!(f, "{kind:<14} {which:<28} {times:>10}"))
    }
}

use super::Kind;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::Instant;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was done.
    Done,
    /// The shop decided against it.
    Refused,
    /// The shop said that it can not do it now, and that nothing was changed.
    Unavailable,
    /// Nobody listened: it was not even sent.
    Unreached,
    /// It was sent, and no answer says what became of it.
    Ambiguous,
}

impl Outcome {
    /// Whether the shop has decided.
    const fn is_served(self) -> bool {
        matches!(self, Self::Done | Self::Refused)
    }
}

struct Entry {
    kind: Kind,
    began: Instant,
    ended: Instant,
    outcome: Outcome,
}

/// Everything that was asked of a shop, and when it was answered.
#[derive(Default)]
pub(crate) struct Journal(RefCell<Vec<Entry>>);

/// A request that the shop has decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    pub(crate) kind: Kind,
    pub(crate) at: Instant,
}

/// Requests, counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) served: usize,
    pub(crate) unavailable: usize,
    pub(crate) unreached: usize,
    pub(crate) ambiguous: usize,
}

impl Journal {
    pub(super) fn note(&self, kind: Kind, began: Instant, outcome: Outcome) {
        self.0.borrow_mut().push(Entry { kind, began, ended: Instant::now(), outcome });
    }

    /// Counts everything.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for entry in self.0.borrow().iter() {
            match entry.outcome {
                Outcome::Done | Outcome::Refused => tally.served += 1,
                Outcome::Unavailable => tally.unavailable += 1,
                Outcome::Unreached => tally.unreached += 1,
                Outcome::Ambiguous => tally.ambiguous += 1,
            }
        }
        tally
    }

    /// The requests that were made after a moment and served, in the order in which they were served.
    pub(crate) fn served_since(&self, moment: Instant) -> Vec<Served> {
        let entries = self.0.borrow();
        // They are noted as they end, so that they are in order.
        let from = entries.partition_point(|entry| entry.ended < moment);
        let served = entries[from..].iter().filter(|entry| entry.began >= moment && entry.outcome.is_served());
        served.map(|entry| Served { kind: entry.kind, at: entry.ended }).collect()
    }

    /// How long it took since a moment until a request of each kind was served, of those that were.
    pub(crate) fn first_served_since(&self, moment: Instant) -> Vec<(Kind, Duration)> {
        let served = self.served_since(moment);
        let first = |kind| served.iter().find(|served| served.kind == kind).map(|served| (kind, served.at.duration_since(moment)));
        Kind::ALL.into_iter().filter_map(first).collect()
    }
}

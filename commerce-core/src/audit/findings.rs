use super::{CheckId, Violation};
use crate::{BusinessDay, CouponId, EventId, OrderId, ProductId, TaskId, UserCouponId};
use std::collections::HashSet;

/// How many findings are kept.
const VIOLATIONS_MAX: usize = 10_000;
/// How many findings are looked at again. A shop with more of them is far behind, and that is a finding: nobody looks whether the others were only in
/// flight.
pub(super) const SUSPECTS_MAX: u32 = 100_000;

/// What a finding that may be in flight is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Suspect {
    Order(OrderId),
    UserCoupon(UserCouponId),
    Event(EventId),
    /// A request for a coupon.
    Request(TaskId),
    /// The place of a request at a gate.
    Place(TaskId),
    Gate(CouponId),
    /// The board of a day as a whole.
    Board(BusinessDay),
    /// What the board of a day counts of a product.
    Sold(BusinessDay, ProductId),
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    certain: Vec<Violation>,
    suspected: Vec<(Suspect, Violation)>,
    omitted: u64,
    /// What a later look is about.
    among: Option<HashSet<Suspect>>,
    has_too_many: bool,
}

impl Findings {
    /// What a look at these alone finds.
    pub(super) fn among(suspects: &[Suspect]) -> Self {
        Self { among: Some(suspects.iter().copied().collect()), ..Self::default() }
    }

    /// Adds something that cannot be in flight.
    pub(super) fn certain(&mut self, check: CheckId, subject: String, detail: String) {
        if self.certain.len() < VIOLATIONS_MAX {
            self.certain.push(Violation { check, subject, detail, in_flight: false });
        } else {
            self.omitted += 1;
        }
    }

    /// Adds something that may be in flight.
    pub(super) fn suspect(&mut self, check: CheckId, suspect: Suspect, detail: String) {
        if self.among.as_ref().is_some_and(|among| !among.contains(&suspect)) {
            return;
        }
        let subject = match suspect {
            Suspect::Order(id) => format!("order {id}"),
            Suspect::UserCoupon(id) => format!("user coupon {id}"),
            Suspect::Event(id) => format!("event {id}"),
            Suspect::Request(task) | Suspect::Place(task) => format!("coupon request {task}"),
            Suspect::Gate(coupon) => format!("gate of coupon {coupon}"),
            Suspect::Board(day) | Suspect::Sold(day, _) => format!("board of {day}"),
        };
        if self.suspected.len() < SUSPECTS_MAX as usize {
            self.suspected.push((suspect, Violation { check, subject, detail, in_flight: true }));
        } else if !self.has_too_many {
            self.has_too_many = true;
            let detail = format!("more than {SUSPECTS_MAX} findings may be in flight, and not all are looked at again");
            self.certain(check, "the shop".to_owned(), detail);
        }
    }

    pub(super) fn has_suspects(&self) -> bool {
        !self.suspected.is_empty()
    }

    pub(super) fn suspects(&self) -> Vec<Suspect> {
        self.suspected.iter().map(|(suspect, _)| *suspect).collect()
    }

    /// Forgets suspicions that a later look does not share, and takes over what it found about the others.
    pub(super) fn keep_what_persists(&mut self, later: Self) {
        let key = |suspect: &Suspect, found: &Violation| (found.check, *suspect);
        let persists: HashSet<_> = self.suspected.iter().map(|(suspect, found)| key(suspect, found)).collect();
        self.suspected = later.suspected;
        self.suspected.retain(|(suspect, found)| persists.contains(&key(suspect, found)));
    }

    /// The violations by check, and how many more there are.
    pub(super) fn into_violations(self) -> (Vec<Violation>, u64) {
        let mut violations = self.certain;
        violations.extend(self.suspected.into_iter().map(|(_, violation)| violation));
        violations.sort_by_key(|violation| violation.check);
        let beyond = violations.len().saturating_sub(VIOLATIONS_MAX);
        violations.truncate(VIOLATIONS_MAX);
        (violations, self.omitted + u64::try_from(beyond).unwrap_or(u64::MAX))
    }
}

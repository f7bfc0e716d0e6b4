use super::super::Redis;
use commerce_core::{BusinessCalendar, BusinessDay};
use std::time::Duration;

/// How long what was counted is kept if nobody forgets it before: much longer than any ranking looks back.
const KEPT: Duration = Duration::from_hours(31 * 24);

/// The keys of all boards, with one hash tag.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// The time zone whose days are counted.
    pub(super) calendar: String,
    /// What is noted of each day.
    pub(super) days: String,
    /// How many products each ranking has.
    pub(super) rankings: String,
    /// What the keys of single days begin with.
    root: String,
}

impl Keys {
    pub(super) fn of(redis: &Redis) -> Self {
        let root = redis.key("{boards}:");
        let key = |name| format!("{root}{name}");
        Self { calendar: key("calendar"), days: key("days"), rankings: key("rankings"), root }
    }

    /// All days, and what was heard of the orders of this one, its units by product, and its products by name.
    pub(super) fn of_day(&self, day: BusinessDay) -> [String; 4] {
        let Self { days, root, .. } = self;
        [days.clone(), format!("{root}orders:{day}"), self.units(day), format!("{root}products:{day}")]
    }

    pub(super) fn units(&self, day: BusinessDay) -> String {
        format!("{}units:{day}", self.root)
    }

    /// The products of a ranking by their units, best sellers first.
    pub(super) fn ranking(&self, today: BusinessDay) -> String {
        format!("{}ranking:{today}", self.root)
    }
}

/// When the server forgets a day by itself, in milliseconds.
pub(super) fn forgotten_at(day: BusinessDay) -> i64 {
    BusinessCalendar::UTC.start_of(day).plus(KEPT).millis()
}

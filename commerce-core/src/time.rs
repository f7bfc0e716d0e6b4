//! Instants, the business day, and the clock they come from.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last instant that is written with a year of four digits: 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The instant `millis` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This instant moved into the future; stops at the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This instant moved into the past; stops at the start of the range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// RFC 3339 in UTC with milliseconds, as every contract writes instants.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// The only source of the present in the core.
pub trait Clock: Send + Sync {
    /// The present instant. It may jump in either direction: callers compare, they do not count on it.
    fn now(&self) -> Timestamp;
}

/// A calendar day in the business time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessDay(NaiveDate);

impl BusinessDay {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self)
    }

    /// The day `days` days before this one.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        Self(self.0.checked_sub_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MIN))
    }

    /// The days from `first` up to this one, both included, in ascending order.
    pub fn since(self, first: Self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(first), |day| Some(day.next())).take_while(move |day| *day <= self)
    }

    /// The day after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX))
    }
}

/// Writes `YYYY-MM-DD`.
impl fmt::Display for BusinessDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says which [`BusinessDay`] an instant belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessCalendar {
    zone: Tz,
}

/// A name the time zone database does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: use an IANA name such as UTC or Asia/Seoul")]
pub struct UnknownTimeZone(pub String);

impl BusinessCalendar {
    /// Days of coordinated universal time.
    pub const UTC: Self = Self { zone: Tz::UTC };

    /// Looks up an IANA time zone name such as `Asia/Seoul`.
    ///
    /// # Errors
    /// [`UnknownTimeZone`] for a name that is not in the database.
    pub fn named(name: &str) -> Result<Self, UnknownTimeZone> {
        name.parse().map(|zone| Self { zone }).map_err(|_| UnknownTimeZone(name.to_owned()))
    }

    /// The name of the time zone, such as `Asia/Seoul`.
    pub fn name(self) -> &'static str {
        self.zone.name()
    }

    /// The day `at` falls on.
    pub fn day_of(self, at: Timestamp) -> BusinessDay {
        BusinessDay(at.utc().with_timezone(&self.zone).date_naive())
    }

    /// The first instant of `day`: midnight, or the first time after it where midnight does not exist.
    pub fn start_of(self, day: BusinessDay) -> Timestamp {
        let midnight = day.0.and_time(chrono::NaiveTime::MIN);
        self.resolve(midnight).unwrap_or(Timestamp(midnight.and_utc().timestamp_millis()))
    }

    /// Reads an RFC 3339 instant with any offset, or one without an offset, which is in the business time zone.
    /// Fractions finer than a millisecond are cut off.
    pub fn parse_instant(self, text: &str) -> Option<Timestamp> {
        let at = match DateTime::parse_from_rfc3339(text) {
            Ok(at) => Timestamp(at.timestamp_millis()),
            Err(_) => self.resolve(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?)?,
        };
        (at <= Timestamp::MAX && at.0 >= 0).then_some(at)
    }

    /// A local time that occurs twice is its first occurrence; one that clocks skip is the first instant after the gap.
    fn resolve(self, local: NaiveDateTime) -> Option<Timestamp> {
        const GAP_MINUTES_MAX: i64 = 24 * 60;
        (0..=GAP_MINUTES_MAX).find_map(|minutes| {
            match self.zone.from_local_datetime(&local.checked_add_signed(chrono::TimeDelta::minutes(minutes))?) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(Timestamp(at.timestamp_millis())),
                LocalResult::None => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        BusinessCalendar::UTC.parse_instant(text).unwrap()
    }

    #[test]
    fn instants_are_written_in_utc_with_milliseconds() {
        assert_eq!(at("2026-11-22T21:28:20.123Z").to_string(), "2026-11-22T21:28:20.123Z");
        assert_eq!(at("2026-11-23T06:28:20+09:00").to_string(), "2026-11-22T21:28:20.000Z");
    }

    #[test]
    fn an_instant_without_an_offset_is_in_the_business_time_zone() {
        let seoul = BusinessCalendar::named("Asia/Seoul").unwrap();
        assert_eq!(seoul.parse_instant("2027-12-31T00:00:00").unwrap().to_string(), "2027-12-30T15:00:00.000Z");
        assert_eq!(seoul.parse_instant("2027-12-31"), None);
        assert_eq!(seoul.parse_instant("yesterday"), None);
        assert_eq!(seoul.parse_instant("+12027-12-31T00:00:00Z"), None);
    }

    #[test]
    fn a_day_turns_at_local_midnight() {
        let seoul = BusinessCalendar::named("Asia/Seoul").unwrap();
        assert_eq!(seoul.day_of(at("2026-11-22T14:59:59.999Z")).to_string(), "2026-11-22");
        assert_eq!(seoul.day_of(at("2026-11-22T15:00:00Z")).to_string(), "2026-11-23");
        assert_eq!(seoul.start_of(BusinessDay::parse("2026-11-23").unwrap()), at("2026-11-22T15:00:00Z"));
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_starts_after_the_gap() {
        let beirut = BusinessCalendar::named("Asia/Beirut").unwrap();
        let day = BusinessDay::parse("2026-03-29").unwrap();
        let start = beirut.start_of(day);
        assert_eq!(beirut.day_of(start), day);
        assert_eq!(beirut.day_of(Timestamp::from_millis(start.millis() - 1)), day.before(1));
    }

    #[test]
    fn unknown_time_zones_are_named_in_the_error() {
        assert_eq!(BusinessCalendar::named("Mars/Olympus"), Err(UnknownTimeZone("Mars/Olympus".into())));
    }
}

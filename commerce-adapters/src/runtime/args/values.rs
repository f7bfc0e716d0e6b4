use commerce_core::BusinessCalendar;
use commerce_core::messaging::Group;
use commerce_core::scheduler::Job;
use std::num::NonZeroU16;
use std::time::Duration;

pub(super) fn job(name: &str) -> Result<Job, String> {
    Job::named(name).ok_or_else(|| format!("the jobs are {}", Job::ALL.map(Job::name).join(", ")))
}

pub(super) fn group(name: &str) -> Result<Group, String> {
    Group::named(name).ok_or_else(|| format!("the groups are {}", Group::ALL.map(Group::name).join(", ")))
}

pub(super) fn calendar(name: &str) -> Result<BusinessCalendar, String> {
    BusinessCalendar::named(name).map_err(|error| error.to_string())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}: write 500ms, 3m, 15m or 24h"))
}

/// The most transactions at once: a process has twelve connections, and its reads and jobs want some of them.
const AT_ONCE_MAX: u16 = 8;

pub(super) fn at_once(text: &str) -> Result<NonZeroU16, String> {
    let number = text.parse().ok().filter(|number: &NonZeroU16| number.get() <= AT_ONCE_MAX);
    number.ok_or_else(|| format!("a process runs from 1 to {AT_ONCE_MAX} transactions at once"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keep_some_of_the_connections() {
        assert_eq!(at_once("8").map(NonZeroU16::get), Ok(8));
        for wrong in ["0", "9", "-1", "many"] {
            assert!(at_once(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_job_is_named_and_an_unknown_one_is_told_the_names() {
        assert_eq!(job("expire-orders"), Ok(Job::ExpireOrders));
        assert_eq!(job("tidy"), Err("the jobs are ranking, expire-orders, sweep-coupons, housekeeping".into()));
    }

    #[test]
    fn a_group_is_named_and_an_unknown_one_is_told_the_names() {
        assert_eq!(group("coupon-issuer"), Ok(Group::CouponIssuer));
        let names = "stock, coupon, order, notification, coupon-issuer, coupon-gate, ranking";
        assert_eq!(group("stocks"), Err(format!("the groups are {names}")));
    }

    #[test]
    fn durations_are_written_with_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("24h"), Ok(Duration::from_hours(24)));
        assert!(duration("15").is_err());
    }
}

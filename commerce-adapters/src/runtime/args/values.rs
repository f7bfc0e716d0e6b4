use commerce_core::BusinessCalendar;
use commerce_core::messaging::Group;
use commerce_core::scheduler::Job;
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

#[cfg(test)]
mod tests {
    use super::*;

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

//! The shop from outside: real processes, real files and servers, real sockets. Every test ends with an audit.
//!
//! Each test is run on one file, and again on MySQL, Redis and Kafka with two API servers, two consumers and two schedulers, where it makes sense and
//! the servers' addresses are given: `COMMERCE_TEST_MYSQL`, `COMMERCE_TEST_REDIS`, `COMMERCE_TEST_KAFKA`.

#[macro_use]
mod cases;
#[path = "../harness/customers/mod.rs"]
mod customers;
#[expect(dead_code, reason = "the tests of faults, which share it, need more of it")]
#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/place.rs"]
mod place;
#[expect(dead_code, reason = "the tests of faults, which share it, need more of it")]
#[cfg(feature = "distributed")]
#[path = "../harness/premises.rs"]
mod premises;
#[expect(dead_code, reason = "the tests of faults, which share it, need more of it")]
#[path = "../harness/staff.rs"]
mod staff;

mod audit;
mod bad_input;
mod bounds;
mod buyer;
mod catalog;
mod closed;
mod command_line;
mod coupon_orders;
mod coupon_streams;
mod coupons;
mod crash;
mod crash_load;
mod events;
mod expiry;
mod idempotency;
mod identity;
mod journey;
mod listener;
mod operations;
mod order;
mod protocol;
mod race;
mod ranking;
mod refund;
mod scheduler;
#[cfg(feature = "distributed")]
mod servers;
mod shop;

use crate::cases::Case;
use crate::place::SetUp;
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

use customers::client;

const CASES: &[&[Case]] = &[
    audit::CASES,
    bad_input::CASES,
    bounds::CASES,
    catalog::CASES,
    command_line::CASES,
    coupon_orders::CASES,
    coupon_streams::CASES,
    coupons::CASES,
    crash::CASES,
    crash_load::CASES,
    events::CASES,
    expiry::CASES,
    idempotency::CASES,
    identity::CASES,
    journey::CASES,
    operations::CASES,
    order::CASES,
    protocol::CASES,
    race::CASES,
    ranking::CASES,
    refund::CASES,
    scheduler::CASES,
    #[cfg(feature = "distributed")]
    servers::CASES,
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for set_up in [SetUp::OneFile, SetUp::Servers] {
        let left_out = set_up.is_out_of_reach();
        let cases = CASES.iter().copied().flatten().filter(|case| case.set_ups.contains(&set_up));
        trials.extend(cases.map(|case| trial(case, set_up, left_out.as_deref())));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test on a set-up, or, if that is out of reach, the reason why it is left out.
fn trial(case: &'static Case, set_up: SetUp, left_out: Option<&str>) -> Trial {
    let place = match set_up {
        SetUp::OneFile => "one_file",
        SetUp::Servers => "on_servers",
    };
    let name = case.name.replacen("e2e", place, 1);
    let name = left_out.map_or_else(|| name.clone(), |reason| format!("{name} (left out: {reason})"));
    let run = move || {
        set_up.choose();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on((case.run)());
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(left_out.is_some())
}

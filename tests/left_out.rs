//! Says which suites are left out of this run, and why.

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// What is proved on each kind of server, and where the tests are told that it is.
const SUITES: [(&str, &[&str]); 8] = [
    ("the store on MySQL", &["COMMERCE_TEST_MYSQL"]),
    ("the store on MariaDB", &["COMMERCE_TEST_MARIADB"]),
    ("gates, boards, locks, notifications and the cache in Redis", &["COMMERCE_TEST_REDIS"]),
    ("the same on a Redis Cluster", &["COMMERCE_TEST_REDIS_CLUSTER"]),
    ("the same in Redis behind Sentinel", &["COMMERCE_TEST_REDIS_SENTINEL"]),
    ("the bus on Kafka", &["COMMERCE_TEST_KAFKA"]),
    ("whole shops on these servers", &["COMMERCE_TEST_MYSQL", "COMMERCE_TEST_REDIS", "COMMERCE_TEST_KAFKA"]),
    ("faults under load", &["COMMERCE_TEST_FAULTS"]),
];

fn main() -> ExitCode {
    let trials: Vec<_> = SUITES.iter().filter_map(|(suite, addresses)| Some(left_out(suite, &reason(addresses)?))).collect();
    if !trials.is_empty() {
        println!("\nSuites that need servers are left out. scripts/test gets the servers and runs all of them.");
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn left_out(suite: &str, reason: &str) -> Trial {
    Trial::test(format!("{suite} (left out: {reason})"), || Ok(())).with_ignored_flag(true)
}

/// Why a suite is left out; `None` if it is run.
fn reason(addresses: &[&str]) -> Option<String> {
    if !cfg!(feature = "distributed") {
        return Some("the feature `distributed` is off".to_owned());
    }
    let given = |address: &&&str| std::env::var_os(address).is_none_or(|value| value.is_empty());
    let missing: Vec<_> = addresses.iter().filter(given).copied().collect();
    match missing.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is not given")),
        several => Some(format!("{} are not given", several.join(", "))),
    }
}

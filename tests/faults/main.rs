//! Faults under load: a shop of several processes on servers of its own, to which everything is done that can be done to them, while customers want
//! things of it. After each fault comes a quiet time; then everything that anybody was told is true, and every invariant holds.
//!
//! ```text
//! scripts/test --faults                              # gets and starts what it needs
//! FAULTS_ROUNDS=20 scripts/test --faults             # each fault so many times
//! scripts/test --faults network                      # those with `network` in their names
//! ```

#[expect(dead_code, reason = "the end-to-end tests, which share it, need more of it")]
#[path = "../harness/customers/mod.rs"]
mod customers;
#[expect(dead_code, reason = "the end-to-end tests, which share it, need more of it")]
#[path = "../harness/mod.rs"]
mod harness;
#[expect(dead_code, reason = "the end-to-end tests, which share it, need more of it")]
#[path = "../harness/place.rs"]
mod place;
#[expect(dead_code, reason = "the end-to-end tests, which share it, need more of it")]
#[path = "../harness/premises.rs"]
mod premises;
#[path = "../harness/staff.rs"]
mod staff;

mod deliveries;
mod exchanges;
mod fence;
mod flush;
mod groups;
mod kills;
mod network;
mod poison;
mod proxy;
mod proxy_tests;
mod records;
mod recovery;
mod report;
mod restarts;
mod rush;
mod scenario;
mod servers;
mod stage;
mod trials;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    // One fault at a time: they share the servers, and a machine.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, trials::all());
    trials::curtain();
    if let Some(table) = report::table() {
        println!("{table}");
    }
    conclusion.exit_code()
}

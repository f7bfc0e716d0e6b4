//! What is kept in Redis keeps the promises of its ports on one server, behind Sentinel and on a Cluster, whatever happens to the servers.
//!
//! The servers are those of `COMMERCE_TEST_REDIS`, `COMMERCE_TEST_REDIS_SENTINEL` and `COMMERCE_TEST_REDIS_CLUSTER`; they are shared, and left as
//! they were. What is done to servers that nobody else may notice is done to servers that a test starts for itself. A test that cannot be run is
//! listed as ignored, and its name says why.

mod contracts;
mod gate_model;
mod locks;
mod lost_answers;
mod own_server;
mod place;
mod proxy;
mod rush;
mod trial;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = [contracts::trials(), gate_model::trials(), locks::trials(), lost_answers::trials(), rush::trials()]
        .into_iter()
        .flatten()
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

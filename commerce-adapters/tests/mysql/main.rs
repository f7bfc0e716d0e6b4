//! The store on real servers: MySQL at `COMMERCE_TEST_MYSQL`, MariaDB at `COMMERCE_TEST_MARIADB`, such as `mysql://root@127.0.0.1:3306`. The user may
//! make and drop databases. What has no server is listed as ignored, with the reason in its name.

mod cancelling;
mod contract;
mod database;
mod locks;

use database::{Database, Server};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// What is tried on a database of its own.
type Test = fn(Database) -> futures_util::future::LocalBoxFuture<'static, ()>;

macro_rules! tests {
    ($($test:path),+ $(,)?) => {
        [$((stringify!($test), (|database| Box::pin($test(database))) as Test)),+]
    };
}

fn main() -> ExitCode {
    let tests = tests![
        contract::store,
        cancelling::a_unit_of_work_that_is_given_up_swallows_nothing_that_is_written_later,
        cancelling::a_read_that_is_given_up_answers_nobody_elses_question,
        cancelling::a_snapshot_that_is_given_up_answers_no_other_question,
        locks::contract_of_locks,
        locks::a_stalled_process_loses_its_locks_on_the_server,
        locks::whoever_held_a_lock_before_cannot_write_once_it_is_granted_anew,
        locks::a_lock_of_one_database_is_free_in_another,
    ];
    let trials = Server::ALL.into_iter().flat_map(|server| tests.map(|(name, test)| trial(server, name, test))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(server: Server, name: &str, test: Test) -> Trial {
    let Some(address) = server.address() else {
        let name = format!("{}::{name} (left out: {} is not given)", server.name(), server.variable());
        return Trial::test(name, || Err(Failed::from("there is no server"))).with_ignored_flag(true);
    };
    Trial::test(format!("{}::{name}", server.name()), move || Database::with(&address, test))
}

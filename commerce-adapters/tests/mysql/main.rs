//! The store on real servers: MySQL at `COMMERCE_TEST_MYSQL`, MariaDB at `COMMERCE_TEST_MARIADB`, such as `mysql://root@127.0.0.1:3306`. The user may
//! make and drop databases. What has no server is listed as ignored, with the reason in its name.

mod cancelling;
mod contract;
mod database;
mod events;
mod guards;
mod locks;
mod plans;
mod processes;
mod refusals;
mod schema;
mod statements;

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
    statements::listen();
    let tests = tests![
        contract::store_and_the_plans_of_its_statements,
        cancelling::a_unit_of_work_that_is_given_up_swallows_nothing_that_is_written_later,
        cancelling::a_read_that_is_given_up_answers_nobody_elses_question,
        cancelling::a_snapshot_that_is_given_up_answers_no_other_question,
        locks::contract_of_locks,
        locks::a_stalled_process_loses_its_locks_on_the_server,
        locks::whoever_held_a_lock_before_cannot_write_once_it_is_granted_anew,
        locks::a_lock_of_one_database_is_free_in_another,
        guards::every_guard_keeps_its_promise,
        guards::everybody_is_served_in_a_rush,
        events::every_event_is_stored_once_however_many_write_at_once,
        events::a_row_that_is_committed_late_is_found_below_those_that_were_sent,
        events::relays_pass_over_rows_that_another_one_is_about_to_claim,
        events::relays_leave_rows_whose_aggregate_another_one_is_about_to_claim,
        refusals::a_duplicate_names_the_key_and_not_the_value,
        refusals::of_two_that_wait_for_each_other_one_is_told_of_a_conflict_and_the_other_goes_on,
        refusals::a_lock_that_is_waited_for_in_vain_is_a_conflict_and_everything_is_rolled_back,
        refusals::nobody_notices_that_connections_have_rested,
        refusals::the_rows_of_a_process_that_stands_still_are_let_go,
        refusals::a_unit_of_work_sees_what_others_have_committed_meanwhile,
        refusals::a_connection_that_is_cut_is_an_outage_and_in_a_commit_an_ambiguity,
        refusals::after_connections_were_cut_the_store_goes_on_by_itself,
        processes::two_processes_under_a_mixed_load_lose_nothing_and_seldom_break_each_other_off,
        schema::a_database_that_does_not_exist_is_made_and_one_that_is_current_stays_as_it_is,
        schema::processes_that_migrate_at_once_wait_for_each_other,
        schema::a_step_that_was_broken_off_is_taken_up_again,
        schema::a_newer_schema_is_refused_and_left_alone,
        schema::a_step_that_is_not_the_one_we_know_is_refused,
        schema::a_user_with_a_password_and_rights_to_one_database_can_do_everything,
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

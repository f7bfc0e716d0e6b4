//! The message bus on a real Kafka broker.
//!
//! `COMMERCE_TEST_KAFKA=HOST:PORT` names a broker that may be used by others too: every test has topics of its own and removes them. Tests that
//! do harm borrow a broker for themselves from scripts/services. Without an address all are listed as ignored, with the reason in their names.

mod dead_letters;
mod events;
mod groups;
mod killed;
mod lent;
mod outages;
mod running;
mod setting_up;
mod shops;

use commerce_core::testing::contract::{BusUnderTest, message_bus};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};
use shops::Shops;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::ExitCode;
use std::sync::Arc;

const ADDRESS: &str = "COMMERCE_TEST_KAFKA";

/// What is tried on topics of its own.
type Test = fn(Shops) -> LocalBoxFuture<'static, ()>;

macro_rules! tests {
    ($($test:path),+ $(,)?) => {
        [$((stringify!($test), (|shops| Box::pin($test(shops))) as Test)),+]
    };
}

fn main() -> ExitCode {
    if let Some(code) = killed::reader_in_a_process_of_its_own() {
        return code;
    }
    let tests = tests![
        contract,
        setting_up::topics_are_made_once_and_left_as_they_are,
        setting_up::what_is_missing_is_told_in_words,
        groups::a_group_that_grows_and_shrinks_under_load_loses_nothing_and_keeps_the_order,
        groups::what_was_not_acknowledged_when_partitions_went_comes_to_whoever_has_them,
        groups::a_reader_that_was_too_slow_moves_nobody_elses_place_and_joins_again,
        groups::readers_of_the_present_leave_nothing_behind,
        groups::readers_that_come_and_go_at_once_end,
        killed::a_reader_that_is_killed_is_missed_and_what_it_had_comes_again,
        dead_letters::what_others_wrote_is_put_aside_with_its_headers_and_the_rest_goes_on,
        dead_letters::a_dead_letter_is_handled_when_it_is_replayed_after_the_fix,
        dead_letters::what_comes_twice_counts_once,
        outages::reading_and_writing_go_on_when_the_broker_comes_back,
        outages::what_is_published_while_the_broker_is_down_is_refused_in_time_and_not_lost,
    ];
    let address = std::env::var(ADDRESS).ok().filter(|address| !address.is_empty());
    let trials = tests.map(|(name, test)| trial(address.clone(), name, test)).into();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(address: Option<String>, name: &str, test: Test) -> Trial {
    let Some(address) = address else {
        let name = format!("{name} (left out: {ADDRESS} is not given)");
        return Trial::test(name, || Err(Failed::from("there is no broker"))).with_ignored_flag(true);
    };
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let outcome = runtime.block_on(async {
            let shops = Shops::on(&address);
            let outcome = AssertUnwindSafe(test(shops.clone())).catch_unwind().await;
            shops.close().await;
            outcome
        });
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
        Ok(())
    })
}

async fn contract(shops: Shops) {
    message_bus(async || BusUnderTest::publishing(Arc::new(shops.open(4).await.bus().await))).await;
}

//! Every trial by name, and what is left out where there are no servers to break.

use super::stage::Stage;
use super::{deliveries, exchanges, fence, flush, groups, kills, network, poison, proxy_tests, restarts, servers};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Failed, Trial};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Runtime;

/// Where the software of the servers is, or is to be installed. `scripts/test` says so.
const SOFTWARE: &str = "COMMERCE_TEST_FAULTS";
/// How often each fault is played.
const ROUNDS: &str = "FAULTS_ROUNDS";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
/// One shop after the other takes everything, until one breaks.
static STAGE: Mutex<Option<Stage>> = Mutex::new(None);

type Fault = Box<dyn for<'a> Fn(&'a mut Stage) -> LocalBoxFuture<'a, ()> + Send>;

/// Every trial.
pub(crate) fn all() -> Vec<Trial> {
    let software = std::env::var(SOFTWARE).ok();
    let rounds = std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let faults = faults().into_iter().map(|(name, fault)| on_stage(name, fault, software.clone(), rounds));
    let lending = software.clone().map(lending);
    weather().into_iter().chain([told_apart()]).chain(lending).chain(faults).collect()
}

/// Takes the shop down in the end, if there is one.
pub(crate) fn curtain() {
    let stage = stage().take();
    if let Some(stage) = stage {
        RUNTIME.block_on(stage.struck());
    }
}

fn stage() -> MutexGuard<'static, Option<Stage>> {
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

macro_rules! named {
    ($($module:ident::$name:ident),+ $(,)?) => {
        vec![$((concat!(stringify!($module), "::", stringify!($name)).to_owned(), fault(|stage| Box::pin($module::$name(stage))))),+]
    };
}

fn fault(play: impl for<'a> Fn(&'a mut Stage) -> LocalBoxFuture<'a, ()> + Send + 'static) -> Fault {
    Box::new(play)
}

fn faults() -> Vec<(String, Fault)> {
    let mut faults = named!(
        kills::an_api_server_is_killed,
        kills::a_consumer_is_killed,
        kills::a_scheduler_is_killed,
        kills::every_process_is_killed_at_once,
        kills::an_api_server_stands_still,
        kills::a_consumer_stands_still,
        groups::a_group_grows_and_shrinks,
        deliveries::events_arrive_twice_and_in_any_order,
        poison::poison_is_put_aside_and_handled_once_it_is_mended,
        flush::redis_forgets_everything_in_a_rush,
        fence::late_writes_of_stopped_lock_holders_are_refused,
    );
    for bad in &network::ALL {
        faults.push((format!("network::{}", underscored(bad.name)), fault(|stage| Box::pin(network::is_bad(stage, bad)))));
    }
    for restart in &restarts::ALL {
        faults.push((format!("restarts::{}", underscored(restart.name)), fault(|stage| Box::pin(restarts::happens(stage, restart)))));
    }
    faults
}

fn underscored(name: &str) -> String {
    name.to_lowercase().replace(' ', "_")
}

/// A fault as a trial. After one that failed the next one has a new shop.
fn on_stage(name: String, fault: Fault, software: Option<String>, rounds: u32) -> Trial {
    let Some(software) = software else {
        return Trial::test(name, || Ok(())).with_kind(format!("left out, for {SOFTWARE} is not given")).with_ignored_flag(true);
    };
    Trial::test(name.clone(), move || {
        RUNTIME.block_on(async {
            let taken = stage().take();
            let mut shop = match taken {
                Some(shop) => shop,
                None => Stage::set(&software).await,
            };
            for _ in 0..rounds {
                if let Err(panic) = AssertUnwindSafe(fault(&mut shop)).catch_unwind().await {
                    println!("what the processes said is kept in {}", shop.keep_logs(&name.replace("::", "-")).display());
                    drop(shop);
                    resume_unwind(panic);
                }
            }
            stage().replace(shop);
        });
        Ok::<(), Failed>(())
    })
    .with_kind("servers")
}

fn lending(software: String) -> Trial {
    let lend = move || {
        RUNTIME.block_on(servers::they_are_lent_broken_mended_and_returned(&software));
        Ok(())
    };
    Trial::test("servers::they_are_lent_broken_mended_and_returned", lend).with_kind("servers")
}

fn told_apart() -> Trial {
    Trial::test("exchanges::writes_are_told_from_whatever_else_is_said_under_a_lock", || {
        exchanges::writes_are_told_from_whatever_else_is_said_under_a_lock();
        Ok(())
    })
}

fn weather() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),+ $(,)?) => {
            vec![$(Trial::test(concat!("proxy::", stringify!($name)), || {
                RUNTIME.block_on(proxy_tests::$name());
                Ok(())
            })),+]
        };
    }
    trials!(
        in_clear_weather_everything_arrives_and_an_end_does_too,
        what_hangs_arrives_when_the_weather_clears,
        a_deaf_server_is_heard_and_hears_nothing_until_the_weather_clears,
        what_bears_the_sign_does_not_arrive_until_the_weather_clears,
        a_cut_resets_connections_and_refuses_new_ones_until_it_is_mended,
        a_slow_network_delays_each_way_and_lets_only_so_much_through,
        without_a_server_connections_are_reset,
    )
}

//! Processes of the shop that are killed, each kind for itself and all at once, and some that stand still. Somebody starts again what was killed, as a
//! service manager would.

use super::network::sales_go_on;
use super::scenario::play;
use super::stage::Stage;
use rustix::process::Signal;
use sqlx::mysql::MySqlConnection;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const LET_GO_WITHIN: Duration = Duration::from_secs(20);
/// Longer than Kafka waits to hear of a consumer.
const EXPELLED_AFTER: Duration = Duration::from_secs(15);

pub(crate) async fn an_api_server_is_killed(stage: &mut Stage) {
    play(stage, "kill -9 of an API server", async |stage, _| {
        let killed = Instant::now();
        stage.kill_api_server(0).await;
        killed
    })
    .await;
}

pub(crate) async fn a_consumer_is_killed(stage: &mut Stage) {
    play(stage, "kill -9 of a consumer", async |stage, _| {
        let killed = Instant::now();
        stage.kill_consumer(0).await;
        killed
    })
    .await;
}

pub(crate) async fn a_scheduler_is_killed(stage: &mut Stage) {
    play(stage, "kill -9 of a scheduler", async |stage, _| {
        let killed = Instant::now();
        stage.kill_scheduler(0).await;
        killed
    })
    .await;
}

pub(crate) async fn every_process_is_killed_at_once(stage: &mut Stage) {
    play(stage, "kill -9 of every process at once", async |stage, _| {
        let killed = Instant::now();
        stage.kill_everybody().await;
        killed
    })
    .await;
}

/// It is stopped in the middle of a transaction. What this has locked is let go while it stands still, and what it was about to say is not taken as said.
pub(crate) async fn an_api_server_stands_still(stage: &mut Stage) {
    let mut mysql = stage.premises().database().await;
    play(stage, "SIGSTOP of an API server", async |stage, journal| {
        let process = &stage.staff.servers[0].process;
        let deadline = Instant::now() + STOPPED_WITHIN;
        let halted = loop {
            process.signal(Signal::STOP);
            let halted = halted(&mut mysql).await;
            if !halted.is_empty() {
                break halted;
            }
            process.signal(Signal::CONT);
            assert!(Instant::now() < deadline, "it is never in the middle of a transaction");
            sleep(BETWEEN_LOOKS).await;
        };
        let stopped = Instant::now();
        while !writers(&mut mysql).await.is_disjoint(&halted) {
            assert!(stopped.elapsed() < LET_GO_WITHIN, "it keeps what it has locked");
            sleep(BETWEEN_LOOKS).await;
        }
        sales_go_on(journal, Instant::now()).await;
        process.signal(Signal::CONT);
        Instant::now()
    })
    .await;
}

/// Kafka gives its partitions to others, and what it goes on with is not its own any more: the books tell whether anything was handled twice.
pub(crate) async fn a_consumer_stands_still(stage: &mut Stage) {
    play(stage, "SIGSTOP of a consumer", async |stage, journal| {
        let process = &stage.staff.consumers[0];
        process.signal(Signal::STOP);
        sleep(EXPELLED_AFTER).await;
        sales_go_on(journal, Instant::now()).await;
        process.signal(Signal::CONT);
        Instant::now()
    })
    .await;
}

/// The transactions that have locked rows and written some, by their numbers. Those that have only read have numbers beyond.
async fn writers(mysql: &mut MySqlConnection) -> BTreeSet<i64> {
    let locking = "SELECT DISTINCT CAST(engine_transaction_id AS SIGNED) FROM performance_schema.data_locks \
         WHERE lock_type = 'RECORD' AND engine_transaction_id < 1 << 48";
    sqlx::query_scalar(locking).fetch_all(mysql).await.expect("MySQL is there").into_iter().collect()
}

/// Those of them that are still at it a while later, which is far more than they need.
async fn halted(mysql: &mut MySqlConnection) -> BTreeSet<i64> {
    let before = writers(mysql).await;
    sleep(BETWEEN_LOOKS).await;
    &writers(mysql).await & &before
}

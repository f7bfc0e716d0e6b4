//! Processes of the shop that are killed, each kind for itself and all at once, and one that stands still. Somebody starts again what was killed, as a
//! service manager would.

use super::customers::eventually_within;
use super::network::has_sold_since;
use super::scenario::play;
use super::stage::Stage;
use rustix::process::Signal;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Longer than MySQL waits to hear of a process that has rows locked.
const STANDING_STILL: Duration = Duration::from_secs(12);
const SOLD_WITHIN: Duration = Duration::from_secs(20);

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

/// Whatever it had locked when it was stopped is let go while it stands still, and what it was about to say is not taken as said.
pub(crate) async fn an_api_server_stands_still(stage: &mut Stage) {
    play(stage, "SIGSTOP of an API server", async |stage, journal| {
        stage.staff.servers[0].process.signal(Signal::STOP);
        sleep(STANDING_STILL).await;
        let let_go = Instant::now();
        eventually_within(SOLD_WITHIN, "others sell on", async || has_sold_since(journal, let_go)).await;
        stage.staff.servers[0].process.signal(Signal::CONT);
        Instant::now()
    })
    .await;
}

//! Processes of the shop that are killed, each kind for itself and all at once. Somebody starts them again, as a service manager would.

use super::scenario::play;
use super::stage::Stage;
use tokio::time::Instant;

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

//! Consumers that come and go while events are handled.

use super::scenario::play;
use super::stage::Stage;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Long enough for the groups to share out their partitions anew, and to handle some events so.
const A_WHILE: Duration = Duration::from_millis(1_500);

pub(crate) async fn a_group_grows_and_shrinks(stage: &mut Stage) {
    play(stage, "consumers come and go", async |stage, _| {
        for _ in 0..3 {
            stage.hire_consumer().await;
            sleep(A_WHILE).await;
        }
        for _ in 0..2 {
            stage.let_a_consumer_go().await;
            sleep(A_WHILE).await;
        }
        // The last change is one that nobody has announced.
        let over = Instant::now();
        stage.lose_a_consumer().await;
        over
    })
    .await;
}

//! Events that arrive twice, late and in any order.

use super::customers::{Chance, Journal};
use super::records::Records;
use super::scenario::play;
use super::stage::Stage;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const A_WHILE: Duration = Duration::from_secs(2);

pub(crate) async fn events_arrive_twice_and_in_any_order(stage: &mut Stage) {
    play(stage, "events arrive twice and in any order", async |stage, _: &Journal| {
        // Nobody reads for a while, so that there is something to mix up.
        let consumers = stage.staff.consumers.len();
        for _ in 0..consumers {
            stage.let_a_consumer_go().await;
        }
        sleep(A_WHILE).await;
        let records = Records::of(stage);
        let found = records.taken_out().await;
        assert!(found.len() > 100, "only {} events are there to be mixed up", found.len());
        let mut mixed: Vec<_> = found.iter().chain(&found).collect();
        shuffle(&mut mixed);
        records.written(&mixed).await;
        let over = Instant::now();
        for _ in 0..consumers {
            stage.hire_consumer().await;
        }
        over
    })
    .await;
}

fn shuffle<T>(items: &mut [T]) {
    let mut chance = Chance::of(items.len() as u64);
    for last in (1..items.len()).rev() {
        items.swap(last, usize::try_from(chance.below(last as u64 + 1)).expect("a place in memory"));
    }
}

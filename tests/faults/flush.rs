//! A Redis that forgets everything in the middle of a coupon rush.

use super::rush::Rush;
use super::scenario::play;
use super::servers::Server;
use super::stage::Stage;
use futures_util::future::join;
use tokio::time::Instant;

const FLUSH_AT: [usize; 2] = [40, 110];

pub(crate) async fn redis_forgets_everything_in_a_rush(stage: &mut Stage) {
    let rush = Rush::gather(stage).await;
    play(stage, "FLUSHALL in a coupon rush", async |stage, _| {
        let flushing = async {
            let mut flushed = Vec::new();
            for places in FLUSH_AT {
                rush.has_admitted(places).await;
                flush(stage).await;
                flushed.push(Instant::now());
            }
            flushed
        };
        let ((), flushed) = join(rush.run(), flushing).await;
        for flushed in &flushed {
            let (reopened_after, told) = rush.reopened_after(*flushed).expect("the gates open again by themselves");
            println!("the gates were open again {reopened_after:?} after Redis had forgotten everything; {told} were told to come back");
            assert!(told > 0, "a gate without memory admits nobody");
        }
        flushed[0]
    })
    .await;
    rush.was_fair().await;
    stage.is_sound().await;
}

async fn flush(stage: &Stage) {
    let client = redis::Client::open(format!("redis://{}", stage.servers.address_of(Server::Redis))).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
    redis::cmd("FLUSHALL").exec_async(&mut connection).await.expect("it is flushed");
}

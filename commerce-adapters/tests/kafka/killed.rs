//! A reader that is killed: it runs in a process of its own, which is this program once more.

use super::events::{drain, first_times, messages, soon};
use super::shops::{Shop, Shops};
use commerce_core::messaging::{Group, MessageBus, StartAt, Topic};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const BROKERS: &str = "COMMERCE_KAFKA_READER_BROKERS";
const PREFIX: &str = "COMMERCE_KAFKA_READER_PREFIX";

/// Reads as the child of a test, if this process is one: acknowledges what comes first, tells that it has more in hand, and waits to be killed.
pub(crate) fn reader_in_a_process_of_its_own() -> Option<ExitCode> {
    let shop = Shop { brokers: std::env::var(BROKERS).ok()?, prefix: std::env::var(PREFIX).ok()? };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut subscription = shop.bus().await.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await.unwrap();
        let acknowledged = subscription.poll(10).await.unwrap().len();
        subscription.acknowledge().await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let in_hand = subscription.poll(10).await.unwrap().len();
        println!("{acknowledged} {in_hand}");
        std::future::pending::<()>().await;
    });
    Some(ExitCode::FAILURE)
}

pub(crate) async fn a_reader_that_is_killed_is_missed_and_what_it_had_comes_again(shops: Shops) {
    // Given a reader in another process, which has acknowledged some events and has more in hand,
    let shop = shops.open(3).await;
    let bus = shop.bus().await;
    bus.publish(&messages(1, 60, 12)).await.unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(BROKERS, &shop.brokers).env(PREFIX, &shop.prefix).stdout(Stdio::piped()).kill_on_drop(true);
    let mut reader = command.spawn().unwrap();
    let mut lines = BufReader::new(reader.stdout.take().unwrap()).lines();
    let told = soon("it reads", lines.next_line()).await.unwrap().unwrap();
    let counts: Vec<usize> = told.split(' ').map(|count| count.parse().unwrap()).collect();
    assert!(counts[0] > 0 && counts[1] > 0, "{told}");
    // when it is killed, and another one joins,
    reader.kill().await.unwrap();
    let mut other = bus.subscribe(Group::Stock, &[Topic::Order], StartAt::Acknowledged).await.unwrap();
    // then that one gets everything that was not acknowledged, and nothing else.
    let left = 60 - counts[0];
    assert_eq!(first_times(&drain(other.as_mut(), left).await).values().flatten().count(), left);
    other.close().await.unwrap();
    assert_eq!(bus.lag(Group::Stock, &[Topic::Order]).await.unwrap(), 0);
}

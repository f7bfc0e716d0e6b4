use super::counter::Counter;
use commerce_core::store::{GroupCommitLimits, StoreError};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn limits(batch_commands_max: usize, waiting_commands_max: usize, batches_in_flight_max: usize) -> GroupCommitLimits {
    GroupCommitLimits { batch_commands_max, waiting_commands_max, batches_in_flight_max, ..GroupCommitLimits::default() }
}

fn amounts(count: i64) -> Vec<i64> {
    (0..count).map(|number| 1_000 + number).collect()
}

#[tokio::test(start_paused = true)]
async fn commands_that_arrive_together_share_a_commit_whatever_desk_they_are_for() {
    // Given two desks,
    let counter = Counter::open(GroupCommitLimits::default(), []).await;
    let other = counter.another_desk();
    // when commands arrive at both at the same time,
    let here = join_all((0..10).map(|number| counter.desk.submit(counter.charge(1_000 + number))));
    let there = join_all((0..10).map(|number| other.submit(counter.charge(2_000 + number))));
    let (here, there) = tokio::join!(here, there);
    // then all are carried out by one commit.
    assert!(here.into_iter().chain(there).all(|outcome| matches!(outcome, Ok(Ok(_)))));
    assert_eq!(counter.store.counts().committed, 1);
    assert_eq!(counter.ledger().await.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn those_who_come_back_soon_share_a_commit_with_those_who_wait() {
    // Given a desk whose batches take 8 ms, and four who come again 1 ms after each answer, two of them while the others are served,
    let counter = Counter::open(GroupCommitLimits::default(), []).await;
    let desk = counter.slow_desk(Duration::from_millis(8));
    let customers = [0, 0, 4, 4].map(async |late_by| {
        sleep(Duration::from_millis(late_by)).await;
        for _ in 0..20 {
            desk.submit(counter.charge(1_000)).await.unwrap().unwrap();
            sleep(Duration::from_millis(1)).await;
        }
    });
    // when they are served,
    join_all(customers).await;
    // then all four share a commit from then on, instead of two taking turns with two.
    assert_eq!(counter.ledger().await.len(), 80);
    assert!(counter.store.counts().committed <= 22, "{:?}", counter.batches.lock().unwrap().iter().map(Vec::len).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_for_those_who_were_answered_than_half_of_what_a_batch_takes() {
    // Given somebody who is served for 8 ms and does not come back, and somebody else who comes meanwhile,
    let counter = Counter::open(GroupCommitLimits::default(), []).await;
    let desk = counter.slow_desk(Duration::from_millis(8));
    let began = Instant::now();
    let last = async {
        sleep(Duration::from_millis(4)).await;
        desk.submit(counter.charge(2_000)).await.unwrap().unwrap();
        began.elapsed()
    };
    // when both are answered,
    let (first, took) = tokio::join!(desk.submit(counter.charge(1_000)), last);
    // then the second one has waited for the first one, for those who might have come, and for itself.
    first.unwrap().unwrap();
    assert!((Duration::from_millis(20)..=Duration::from_millis(22)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_no_more_than_its_limit_and_keeps_the_order() {
    let counter = Counter::open(limits(4, 100, 1), []).await;
    let outcomes = counter.charge_all(&amounts(10)).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(counter.batches.lock().unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    assert_eq!(counter.ledger().await, amounts(10));
}

#[tokio::test(start_paused = true)]
async fn desks_share_the_limit_of_a_unit_of_work_and_each_comes_to_its_turn() {
    // Given two desks where more wait than a unit of work may take,
    let counter = Counter::open(limits(4, 100, 1), []).await;
    let other = counter.another_desk();
    let (here, there) = (amounts(6), (0..6).map(|number| counter.charge(2_000 + number)).collect());
    // when they are served,
    let (here, there) = tokio::join!(counter.charge_all(&here), other.submit_all(there));
    // then no unit of work takes more than four, and nobody is left out.
    assert!(here.iter().all(Result::is_ok) && there.unwrap().iter().all(Result::is_ok));
    assert_eq!(counter.store.counts().committed, 3);
    assert_eq!(counter.ledger().await.len(), 12);
}

#[tokio::test(start_paused = true)]
async fn handlers_run_in_the_order_of_their_desks_whoevers_turn_it_is() {
    let counter = Counter::open(GroupCommitLimits::default(), []).await;
    let other = counter.another_desk();
    for round in 0..4 {
        let (_there, _here) = tokio::join!(other.submit(counter.charge(2_000 + round)), counter.desk.submit(counter.charge(1_000 + round)));
    }
    assert_eq!(counter.ledger().await, [1_000, 2_000, 1_001, 2_001, 1_002, 2_002, 1_003, 2_003]);
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_caller_has_left_is_carried_out_all_the_same() {
    // Given a caller that hands in a command and leaves,
    let counter = Counter::open(GroupCommitLimits::default(), []).await;
    counter.charge_and_leave(1_000).await;
    // when somebody else is served,
    counter.charge_all(&[2_000]).await;
    // then both were.
    assert_eq!(counter.ledger().await, [1_000, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn more_commands_than_may_wait_are_refused_and_leave_no_trace() {
    // Given a desk at which three may wait, and two do,
    let counter = Counter::open(limits(256, 3, 1), []).await;
    counter.charge_and_leave(1_000).await;
    counter.charge_and_leave(2_000).await;
    // when two more come together,
    let refused = counter.desk.submit_all(vec![counter.charge(3_000), counter.charge(4_000)]).await;
    // then neither is taken, one alone is, and the others are carried out.
    assert!(matches!(*refused.unwrap_err(), StoreError::Overloaded));
    assert_eq!(counter.charge_all(&[5_000]).await, [Ok(8_000)]);
    assert_eq!(counter.ledger().await, [1_000, 2_000, 5_000]);
}

#[tokio::test(start_paused = true)]
async fn commands_that_come_as_one_are_taken_when_nobody_waits_however_many_they_are() {
    // What a consumer has polled comes as one: were it refused for its size, it would be refused for ever.
    let counter = Counter::open(limits(4, 3, 1), []).await;
    assert_eq!(counter.charge_all(&amounts(10)).await.len(), 10);
    assert_eq!(counter.ledger().await, amounts(10));
}

#[tokio::test(start_paused = true)]
async fn shutdown_commits_everything_that_waits_and_refuses_what_comes_later() {
    // Whether the workers hear of the commands or of the end first is chance: every round must do.
    for _ in 0..20 {
        // Given far more commands than fit into a batch,
        let counter = Counter::open(limits(4, 1_000, 1), []).await;
        tokio::task::yield_now().await;
        for amount in amounts(50) {
            counter.charge_and_leave(amount).await;
        }
        // when the shop shuts down,
        counter.group_commit.shutdown().await;
        // then all of them are carried out, in order, and later ones are refused.
        assert_eq!(counter.ledger().await, amounts(50));
        let refused = counter.desk.submit(counter.charge(1_000)).await;
        assert!(matches!(*refused.unwrap_err(), StoreError::Overloaded));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_and_several_workers_lose_and_repeat_nothing() {
    const CALLERS: i64 = 500;
    let counter = Counter::open(limits(16, 10_000, 4), []).await;
    let calls = (0..CALLERS).map(|number| {
        let (desk, command) = (counter.desk.clone(), counter.charge(1_000 + number));
        tokio::spawn(async move { desk.submit(command).await.unwrap().unwrap() })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }
    let mut ledger = counter.ledger().await;
    ledger.sort_unstable();
    assert_eq!(ledger, amounts(CALLERS));
}

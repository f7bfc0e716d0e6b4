use super::runner::soon;
use crate::notify::{Notification, Notifier, Subject, Watch};
use crate::{OrderId, TaskId};
use futures_util::FutureExt;
use std::sync::Arc;

/// Checks everything a [`Notifier`] MUST do, each check on one that `new` makes.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn notifier(new: impl AsyncFn() -> Arc<dyn Notifier>) {
    checks! { new:
        a_watch_is_told_in_order,
        every_watch_of_a_subject_is_told,
        subjects_are_told_apart,
        nobody_has_to_watch,
        a_slow_watch_holds_nobody_up,
        a_watch_that_was_cancelled_misses_nothing,
        a_subject_can_be_watched_again,
        payloads_arrive_as_they_were,
    }
}

fn order(number: i64) -> Subject {
    Subject::Order(OrderId::new(number).unwrap())
}

fn notification(subject: Subject, payload: impl Into<String>) -> Notification {
    Notification { subject, payload: payload.into() }
}

async fn next(watch: &mut dyn Watch) -> Option<String> {
    soon("a notification arrives", watch.next()).await
}

/// The payloads up to one, without what only says that some may have been missed.
async fn until(watch: &mut dyn Watch, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let payload = next(watch).await;
        let done = payload.as_deref() == Some(last);
        seen.extend(payload);
        if done {
            return seen;
        }
    }
}

async fn a_watch_is_told_in_order(notifier: &dyn Notifier) {
    let mut watch = notifier.watch(order(1)).await.unwrap();
    let told: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    for pair in told.chunks(2) {
        let pair: Vec<_> = pair.iter().map(|payload| notification(order(1), payload)).collect();
        notifier.publish(&pair).await.unwrap();
    }
    assert_eq!(until(watch.as_mut(), "49").await, told);
}

async fn every_watch_of_a_subject_is_told(notifier: &dyn Notifier) {
    let mut watches = [notifier.watch(order(1)).await.unwrap(), notifier.watch(order(1)).await.unwrap()];
    notifier.publish(&[notification(order(1), "done")]).await.unwrap();
    for watch in &mut watches {
        assert_eq!(until(watch.as_mut(), "done").await, ["done"]);
    }
}

async fn subjects_are_told_apart(notifier: &dyn Notifier) {
    let task = Subject::Task(TaskId::new(1).unwrap());
    let mut watches = [notifier.watch(order(1)).await.unwrap(), notifier.watch(task).await.unwrap()];
    notifier.publish(&[notification(order(11), "11"), notification(order(1), "order"), notification(task, "task")]).await.unwrap();
    assert_eq!(until(watches[0].as_mut(), "order").await, ["order"]);
    assert_eq!(until(watches[1].as_mut(), "task").await, ["task"]);
}

async fn nobody_has_to_watch(notifier: &dyn Notifier) {
    notifier.publish(&[notification(order(1), "unheard")]).await.unwrap();
    notifier.publish(&[]).await.unwrap();
}

async fn a_slow_watch_holds_nobody_up(notifier: &dyn Notifier) {
    const MANY: i64 = 5_000;
    let mut slow = notifier.watch(order(1)).await.unwrap();
    for number in 0..MANY {
        let told = [notification(order(1), number.to_string())];
        soon("publishing", notifier.publish(&told)).await.unwrap();
    }
    let seen = until(slow.as_mut(), &(MANY - 1).to_string()).await;
    let numbers: Vec<i64> = seen.iter().map(|payload| payload.parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "what is seen is in order");
}

async fn a_watch_that_was_cancelled_misses_nothing(notifier: &dyn Notifier) {
    let mut watch = notifier.watch(order(1)).await.unwrap();
    let early = watch.next().now_or_never();
    assert!(early.is_none_or(|payload| payload.is_none()), "nothing was published yet");
    notifier.publish(&[notification(order(1), "done")]).await.unwrap();
    assert_eq!(until(watch.as_mut(), "done").await, ["done"]);
}

async fn a_subject_can_be_watched_again(notifier: &dyn Notifier) {
    for round in ["first", "second", "third"] {
        let mut watch = notifier.watch(order(1)).await.unwrap();
        notifier.publish(&[notification(order(1), round)]).await.unwrap();
        assert_eq!(until(watch.as_mut(), round).await, [round]);
    }
}

async fn payloads_arrive_as_they_were(notifier: &dyn Notifier) {
    let mut watch = notifier.watch(order(1)).await.unwrap();
    let payload = format!("{{\"text\":\"줄\\n😀 ' % \\\\ {}\"}}", "x".repeat(10_000));
    notifier.publish(&[notification(order(1), payload.clone())]).await.unwrap();
    assert_eq!(until(watch.as_mut(), &payload).await, [payload]);
}

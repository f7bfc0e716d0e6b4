use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::Instant;

/// A check that takes longer hangs.
pub(super) const CHECK_MAX: Duration = Duration::from_mins(2);
/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL_EVERY: Duration = Duration::from_millis(5);

/// Runs one check, and says its name if it fails.
///
/// # Panics
/// If the check does, or if it takes longer than `max`.
pub(super) async fn run(name: &str, max: Duration, check: impl Future<Output = ()>) {
    let outcome = tokio::time::timeout(max, AssertUnwindSafe(check).catch_unwind()).await;
    let outcome = outcome.unwrap_or_else(|_late| panic!("contract check {name} hangs"));
    if let Err(panic) = outcome {
        panic!("contract check {name} failed: {}", message(panic.as_ref()));
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("see the panic above")
}

/// Looks again and again until `look` finds something.
///
/// # Panics
/// If that takes longer than any adapter may.
pub(super) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "this did not come true in time: {what}");
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// Awaits something that has to happen soon.
///
/// # Panics
/// If it does not.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("this did not happen in time: {what}"))
}

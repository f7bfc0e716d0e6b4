//! Waiting for something to happen.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything may take to happen: longer than others wait for what a killed process has claimed, and on a machine that is busy with more.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, condition: impl AsyncFnMut() -> bool) {
    eventually_within(PATIENCE, what, condition).await;
}

/// The same, for what may take longer.
pub(crate) async fn eventually_within(patience: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !condition().await {
        assert!(Instant::now() < deadline, "it does not happen in {patience:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}

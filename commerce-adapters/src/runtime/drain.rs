use super::Failure;
use commerce_core::Commerce;
use std::time::Duration;
use tokio::time::sleep;

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until a snapshot shows no event that a consumer is still to handle.
///
/// # Errors
/// [`Failure::Missing`] if the store cannot be asked.
pub(super) async fn everything_is_handled(commerce: &Commerce) -> Result<(), Failure> {
    let failed = |error| Failure::missing("cannot tell whether everything is handled", &error);
    loop {
        let mut snapshot = commerce.parts().store.snapshot().await.map_err(failed)?;
        if snapshot.undelivered(1).await.map_err(failed)?.is_empty() {
            return Ok(());
        }
        drop(snapshot);
        sleep(LOOK_EVERY).await;
    }
}

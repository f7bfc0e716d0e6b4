use super::{Backoff, Random, Store, StoreError, UnitOfWork};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::panic::AssertUnwindSafe;

/// Runs `work` in a unit of work and commits it. On contention or an outage everything is run again from the start, after a full-jitter
/// wait, as often as `backoff` allows. A commit whose outcome is unknown is never repeated. A panic in `work` rolls back and is reported.
///
/// Run this in a task of its own: it must not be cancelled between begin and commit.
///
/// # Errors
/// The last error, once the attempts are used up or trying again cannot help.
pub async fn transact<T, F>(store: &dyn Store, backoff: Backoff, random: &dyn Random, mut work: F) -> Result<T, StoreError>
where
    T: Send,
    F: for<'a> FnMut(&'a mut dyn UnitOfWork) -> BoxFuture<'a, Result<T, StoreError>> + Send,
{
    let mut failures = 0;
    loop {
        let error = match attempt(store, &mut work).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        failures += 1;
        let again = error.is_contention() || matches!(error, StoreError::Unavailable(_));
        let Some(delay) = backoff.delay(failures, random).filter(|_| again) else { return Err(error) };
        metrics::counter!("commerce_transaction_retries_total").increment(1);
        tracing::debug!(%error, failures, "retrying a unit of work");
        tokio::time::sleep(delay).await;
    }
}

async fn attempt<T, F>(store: &dyn Store, work: &mut F) -> Result<T, StoreError>
where
    T: Send,
    F: for<'a> FnMut(&'a mut dyn UnitOfWork) -> BoxFuture<'a, Result<T, StoreError>> + Send,
{
    let mut uow = store.begin().await?;
    match AssertUnwindSafe(work(uow.as_mut())).catch_unwind().await {
        Ok(Ok(value)) => uow.commit().await.map(|()| value),
        Ok(Err(error)) => Err(error),
        Err(panic) => {
            let message = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
            Err(StoreError::Backend(format!("a handler panicked: {}", message.unwrap_or_default()).into()))
        }
    }
}

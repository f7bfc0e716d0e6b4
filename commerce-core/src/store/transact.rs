use super::{Backoff, Random, Store, StoreError, UnitOfWork};
use crate::guard::Tally;
use async_trait::async_trait;
use futures_util::FutureExt;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// What is to be done in one unit of work. It may be run several times, each time in a new one.
#[async_trait]
pub trait Transaction: Send {
    /// What it comes to.
    type Output: Send;

    /// Reads and writes; the caller begins and commits.
    ///
    /// # Errors
    /// Those of the store; the unit of work is rolled back then.
    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<Self::Output, StoreError>;
}

/// Runs a transaction in a unit of work and commits it. On contention or an outage everything is run again from the start, after a full-jitter
/// wait, as often as `backoff` allows. A commit whose outcome is unknown is never repeated. A panic rolls back and is reported as an error.
///
/// Run this in a task of its own: it must not be cancelled between begin and commit.
///
/// # Errors
/// The last error, once the attempts are used up or trying again cannot help.
pub async fn transact<T: Transaction>(
    store: &dyn Store,
    backoff: Backoff,
    random: &dyn Random,
    transaction: &mut T,
) -> Result<T::Output, StoreError> {
    transact_counted(store, Begin::Locking, backoff, random, &Tally::default(), transaction).await
}

/// How a unit of work is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// By [`Store::begin`].
    Locking,
    /// By [`Store::begin_unlocked`].
    Unlocked,
}

/// As [`transact`], and counts the attempts and those that came to nothing because another unit of work came between.
pub(crate) async fn transact_counted<T: Transaction>(
    store: &dyn Store,
    begin: Begin,
    backoff: Backoff,
    random: &dyn Random,
    tally: &Tally,
    transaction: &mut T,
) -> Result<T::Output, StoreError> {
    let mut failures = 0;
    loop {
        tally.attempt();
        let error = match attempt(store, begin, transaction).await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        failures += 1;
        if error.is_contention() {
            tally.conflict();
        }
        let again = error.is_contention() || matches!(error, StoreError::Unavailable(_));
        let Some(delay) = backoff.delay(failures, random).filter(|_| again) else { return Err(error) };
        metrics::counter!("commerce_transaction_retries_total").increment(1);
        tracing::debug!(%error, failures, "retrying a unit of work");
        tokio::time::sleep(delay).await;
    }
}

async fn attempt<T: Transaction>(store: &dyn Store, begin: Begin, transaction: &mut T) -> Result<T::Output, StoreError> {
    let uow = async {
        match begin {
            Begin::Locking => store.begin().await,
            Begin::Unlocked => store.begin_unlocked().await,
        }
    };
    let mut uow = timed("begin", caught(uow, StoreError::Backend)).await?;
    let output = timed("work", caught(transaction.run(uow.as_mut()), StoreError::Backend)).await?;
    timed("commit", caught(uow.commit(), StoreError::Ambiguous)).await.map(|()| output)
}

/// Measures how long a phase of a unit of work takes.
async fn timed<T>(phase: &'static str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let output = work.await;
    metrics::histogram!("commerce_transaction_seconds", "phase" => phase).record(begun.elapsed());
    output
}

/// Makes an error of a panic, wherever it comes from: it must not end the worker on which everybody waits.
async fn caught<T>(
    work: impl Future<Output = Result<T, StoreError>>,
    blame: fn(Box<dyn Error + Send + Sync>) -> StoreError,
) -> Result<T, StoreError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        Err(blame(format!("a unit of work panicked: {}", message.unwrap_or_default()).into()))
    })
}

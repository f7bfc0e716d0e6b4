use super::{DistributedLock, HeldLock, LockError, LockName, LockWatch, Patience, Tenure, Wake};
use crate::store::{Random, ascending};
use metrics::{counter, histogram};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Takes locks on behalf of a program. Cloning it is cheap.
#[derive(Clone)]
pub struct Locks {
    service: Arc<dyn DistributedLock>,
    random: Arc<dyn Random>,
}

impl Locks {
    /// Locks that this service grants.
    pub fn new(service: Arc<dyn DistributedLock>, random: Arc<dyn Random>) -> Self {
        Self { service, random }
    }

    /// Takes all of these locks if all of them are free, and none if not.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    pub async fn try_lock(&self, names: &[LockName], tenure: Tenure) -> Result<Option<HeldLock>, LockError> {
        self.attempt(&ascending(names.iter()), tenure).await
    }

    /// Takes all of these locks, and waits for them if need be. `None` if some are still held when the patience ends.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached: whoever wants to wait for the service itself tries again.
    pub async fn lock(&self, names: &[LockName], tenure: Tenure, patience: Patience) -> Result<Option<HeldLock>, LockError> {
        self.lock_counted(names, tenure, patience).await.1
    }

    /// As [`lock`](Self::lock), and says how often they were found held.
    pub(crate) async fn lock_counted(
        &self,
        names: &[LockName],
        tenure: Tenure,
        patience: Patience,
    ) -> (u32, Result<Option<HeldLock>, LockError>) {
        let names = ascending(names.iter());
        let begun = Instant::now();
        let mut refusals = 0;
        let waited = self.wait(&names, tenure, patience, &mut refusals).await;
        let outcome = match &waited {
            Ok(Some(_)) => "granted",
            Ok(None) => "gave_up",
            Err(_) => "failed",
        };
        histogram!("commerce_lock_wait_seconds", "kind" => kind(&names), "outcome" => outcome).record(begun.elapsed());
        (refusals, waited)
    }

    async fn wait(
        &self,
        names: &[&LockName],
        tenure: Tenure,
        patience: Patience,
        refusals: &mut u32,
    ) -> Result<Option<HeldLock>, LockError> {
        let deadline = Instant::now() + patience.wait_max;
        let mut watch = None;
        loop {
            if let Some(held) = self.attempt(names, tenure).await? {
                return Ok(Some(held));
            }
            *refusals += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            match (patience.wake, names) {
                // What is let go before the watch begins is not told: the lock is tried again first.
                (Wake::Release, [name]) if *refusals == 1 => {
                    watch = self.service.watch(name.as_str()).await?;
                    if watch.is_some() {
                        continue;
                    }
                }
                _ => {}
            }
            let pause = patience.sleep(*refusals, watch.is_some(), self.random.as_ref()).min(left);
            rest(pause, watch.as_deref_mut()).await;
        }
    }

    async fn attempt(&self, names: &[&LockName], tenure: Tenure) -> Result<Option<HeldLock>, LockError> {
        let asked = Instant::now();
        let granted = match names {
            [name] => self.service.try_acquire(name.as_str(), tenure.lease).await.map(|grant| grant.map(|grant| vec![grant])),
            many => {
                let texts: Vec<&str> = many.iter().map(|name| name.as_str()).collect();
                self.service.try_acquire_all(&texts, tenure.lease).await
            }
        };
        let outcome = match &granted {
            Ok(Some(_)) => "granted",
            Ok(None) => "held",
            Err(_) => "failed",
        };
        counter!("commerce_lock_attempts_total", "kind" => kind(names), "outcome" => outcome).increment(1);
        Ok(granted?.map(|grants| HeldLock::begin(Arc::clone(&self.service), kind(names), grants, tenure, asked)))
    }
}

/// Of locks of several kinds that are taken together the first kind counts.
fn kind(names: &[&LockName]) -> &'static str {
    names.first().map_or("none", |name| name.kind())
}

async fn rest(pause: Duration, watch: Option<&mut (dyn LockWatch + 'static)>) {
    match watch {
        None => sleep(pause).await,
        Some(watch) => tokio::select! {
            () = watch.freed() => {}
            () = sleep(pause) => {}
        },
    }
}

use super::{Step, Steps};
use crate::lock::{DistributedLock, LockError, LockGrant, LockWatch};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// A lock service that stops when a lock is asked for, granted or let go. Renewals do not stop.
#[derive(Clone)]
pub struct SteppedLocks {
    inner: Arc<dyn DistributedLock>,
    steps: Arc<dyn Steps>,
}

impl SteppedLocks {
    /// Lets `steps` decide when `inner` is asked.
    pub fn new(inner: Arc<dyn DistributedLock>, steps: Arc<dyn Steps>) -> Self {
        Self { inner, steps }
    }
}

#[async_trait]
impl DistributedLock for SteppedLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        self.steps.at(Step::Acquire).await;
        let granted = self.inner.try_acquire(name, lease).await?;
        if granted.is_some() {
            self.steps.at(Step::Acquired).await;
        }
        Ok(granted)
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        self.inner.renew(grant, lease).await
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        self.steps.at(Step::Release).await;
        self.inner.release(grant).await
    }

    async fn watch(&self, name: &str) -> Result<Option<Box<dyn LockWatch>>, LockError> {
        self.inner.watch(name).await
    }
}

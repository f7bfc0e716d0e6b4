//! Distributed locks: for what two processes must not do at the same time.

use async_trait::async_trait;
use std::error::Error;
use std::time::Duration;

/// Why a lock service could not answer.
#[derive(Debug, thiserror::Error)]
#[error("the lock service is unavailable")]
pub struct LockError(#[from] pub Box<dyn Error + Send + Sync>);

/// A lock that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockGrant {
    /// The name of the lock.
    pub name: String,
    /// Known to the holder only: who does not know it can neither renew nor release.
    pub token: u64,
    /// Grows with every grant of the same name. A protected write carries it, and is refused once a later grant has written.
    pub fence: u64,
}

/// Grants named locks for a bounded time.
///
/// At most one grant of a name is valid at any time as its service reckons time. A holder that stalls for longer than its lease may
/// believe that it still holds the lock: writes that matter must be fenced.
#[async_trait]
pub trait DistributedLock: Send + Sync {
    /// Takes the lock if it is free, for `lease`. Every grant MUST have a larger fence than every grant of the name before.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError>;

    /// Holds the lock for another `lease` from now; `false` if the grant is not valid any more.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError>;

    /// Lets the lock go; `false` if the grant was not valid any more, and then nothing happens to the lock of whoever has it now.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError>;
}

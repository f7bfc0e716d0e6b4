use super::Fence;
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

impl LockGrant {
    /// What the holder shows when it writes.
    pub fn fence(&self) -> Fence {
        Fence { lock: self.name.clone(), number: self.fence }
    }
}

/// Grants named locks for a bounded time.
///
/// At most one grant of a name is valid at any time as its service reckons time. A holder that stalls for longer than its lease may
/// believe that it still holds the lock: writes that matter must be fenced.
///
/// Every grant MUST have a larger fence than every grant of the name before, also when the service has lost its memory in between, as one that
/// keeps it on no disk does when it restarts: the store remembers fences, and would refuse every holder that comes with a smaller one.
#[async_trait]
pub trait DistributedLock: Send + Sync {
    /// Takes the lock if it is free, for `lease`.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached; the lock may be taken then, until the lease ends.
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

    /// Begins to watch for a lock to be let go. `None` from a service that does not tell: whoever waits has to try again and again.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    async fn watch(&self, _name: &str) -> Result<Option<Box<dyn LockWatch>>, LockError> {
        Ok(None)
    }

    /// Takes all of these locks or none, for `lease`; answers their grants in the order of `names`, which are distinct and ascending.
    ///
    /// A service that can take all of them in one step should: this default takes one after the other and gives back what it has when one is
    /// held. As everybody begins with the smallest name, whoever got that one is hardly ever turned away by somebody who will be, too.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached; some of the locks may be taken then, until the lease ends.
    async fn try_acquire_all(&self, names: &[&str], lease: Duration) -> Result<Option<Vec<LockGrant>>, LockError> {
        let mut grants = Vec::with_capacity(names.len());
        for name in names {
            match self.try_acquire(name, lease).await {
                Ok(Some(grant)) => grants.push(grant),
                Ok(None) => {
                    self.release_all(&grants).await?;
                    return Ok(None);
                }
                Err(error) => {
                    // What cannot be released now ends with its lease.
                    let _unreachable = self.release_all(&grants).await;
                    return Err(error);
                }
            }
        }
        Ok(Some(grants))
    }

    /// Holds all of these locks for another `lease` from now; `false` if one of the grants is not valid any more. The others MAY be renewed
    /// then or not.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    async fn renew_all(&self, grants: &[LockGrant], lease: Duration) -> Result<bool, LockError> {
        for grant in grants {
            if !self.renew(grant, lease).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets all of these locks go; `false` if one of the grants was not valid any more. The others MUST be released all the same.
    ///
    /// # Errors
    /// [`LockError`] if the service cannot be reached.
    async fn release_all(&self, grants: &[LockGrant]) -> Result<bool, LockError> {
        let mut all = true;
        for grant in grants.iter().rev() {
            all &= self.release(grant).await?;
        }
        Ok(all)
    }
}

/// Tells one who waits for a lock that it was let go. Dropping it ends the watching.
///
/// It is a hint: it MAY come when the lock is held, late, or never, as when a lease ends by itself. Of several who watch the same lock at least one
/// MUST be told of a release that follows the watch, unless the connection to the service is lost.
#[async_trait]
pub trait LockWatch: Send {
    /// Waits until the lock may be free. It MUST be safe to cancel.
    async fn freed(&mut self);
}

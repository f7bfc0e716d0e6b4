use crate::lock::{DistributedLock, LockError, LockGrant, LockWatch};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A lock service in memory; its time is tokio's, so that a test with a paused clock decides when a lease ends. Clones share their locks.
#[derive(Debug, Clone, Default)]
pub struct MemoryLocks {
    locks: Arc<Mutex<HashMap<String, Lock>>>,
}

/// The last grant of a name. It is kept when it ends, because the next fence has to be larger.
#[derive(Debug, Default)]
struct Lock {
    fence: u64,
    held_until: Option<Instant>,
    /// Rung when it is let go.
    bell: Arc<Notify>,
}

impl Lock {
    fn held(&self) -> bool {
        self.held_until.is_some_and(|until| Instant::now() < until)
    }
}

impl MemoryLocks {
    /// A service that has granted nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all grants, as a service would that was restarted: whoever held a lock is not told. Fences go on growing.
    pub fn end_all(&self) {
        for lock in self.locks().values_mut() {
            lock.held_until = None;
        }
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<String, Lock>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to a lock if the grant is valid; whether it was.
    fn with_valid(&self, grant: &LockGrant, change: impl FnOnce(&mut Lock)) -> bool {
        let mut locks = self.locks();
        let valid = locks.get_mut(&grant.name).filter(|lock| lock.held() && lock.fence == grant.fence && token(lock.fence) == grant.token);
        valid.map(change).is_some()
    }
}

/// Tokens need not be secret here, only different: this one follows from the fence and is not equal to it.
const fn token(fence: u64) -> u64 {
    fence.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[async_trait]
impl DistributedLock for MemoryLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        let mut locks = self.locks();
        let lock = locks.entry(name.to_owned()).or_default();
        if lock.held() {
            return Ok(None);
        }
        lock.fence += 1;
        lock.held_until = Some(Instant::now() + lease);
        Ok(Some(LockGrant { name: name.to_owned(), token: token(lock.fence), fence: lock.fence }))
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        Ok(self.with_valid(grant, |lock| lock.held_until = Some(Instant::now() + lease)))
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        Ok(self.with_valid(grant, |lock| {
            lock.held_until = None;
            lock.bell.notify_one();
        }))
    }

    async fn watch(&self, name: &str) -> Result<Option<Box<dyn LockWatch>>, LockError> {
        let bell = Arc::clone(&self.locks().entry(name.to_owned()).or_default().bell);
        Ok(Some(Box::new(Watch(bell))))
    }
}

struct Watch(Arc<Notify>);

#[async_trait]
impl LockWatch for Watch {
    async fn freed(&mut self) {
        self.0.notified().await;
    }
}

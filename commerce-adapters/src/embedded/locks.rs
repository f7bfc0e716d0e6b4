use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant};
use commerce_core::{Clock, Timestamp};
use rand::RngExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Named locks inside one process, for a shop that has no other.
///
/// Leases end by the clock they were made with. Fences are numbered over all names, beginning with the time in milliseconds at the start:
/// they go on growing over a restart.
pub struct InProcessLocks {
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
}

struct Book {
    fence: u64,
    held: HashMap<String, Held>,
}

struct Held {
    token: u64,
    until: Timestamp,
}

impl InProcessLocks {
    /// Locks whose leases this clock ends.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let fence = u64::try_from(clock.now().millis()).unwrap_or(0);
        Self { clock, book: Mutex::new(Book { fence, held: HashMap::new() }) }
    }

    /// Runs `work` on the locks that are held at present; the others are forgotten.
    fn with_held<T>(&self, work: impl FnOnce(&mut Book, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.held.retain(|_, held| now < held.until);
        work(&mut book, now)
    }
}

impl Book {
    fn valid(&mut self, grant: &LockGrant) -> Option<&mut Held> {
        self.held.get_mut(&grant.name).filter(|held| held.token == grant.token)
    }
}

#[async_trait]
impl DistributedLock for InProcessLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        Ok(self.with_held(|book, now| {
            if book.held.contains_key(name) {
                return None;
            }
            book.fence += 1;
            let token = token();
            book.held.insert(name.to_owned(), Held { token, until: now.plus(lease) });
            Some(LockGrant { name: name.to_owned(), token, fence: book.fence })
        }))
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        Ok(self.with_held(|book, now| book.valid(grant).map(|held| held.until = now.plus(lease)).is_some()))
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        Ok(self.with_held(|book, _| book.valid(grant).is_some() && book.held.remove(&grant.name).is_some()))
    }
}

#[expect(clippy::disallowed_methods, reason = "a token is a secret: nobody may be able to foretell it, in tests neither")]
fn token() -> u64 {
    rand::rng().random()
}

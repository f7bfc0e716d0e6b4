use crate::sqlite::SqliteStore;
use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant, LockWatch};
use commerce_core::{Clock, Timestamp};
use rand::RngExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// Locks whose leases have ended are swept out once there are as many as this, or twice as many as after the last time.
const SWEPT_AT_MIN: usize = 64;

/// Named locks inside one process, for a shop in one file.
///
/// Leases end by the clock they were made with. Fences are numbered over all names, and go on from the last one of the name that is written in the
/// file, whoever wrote it: this process, one before it, or one beside it, such as a scheduler that did one job. A clock has no say in it: after one that
/// was set back, nobody would come with a larger one for as long.
pub struct InProcessLocks {
    clock: Arc<dyn Clock>,
    store: SqliteStore,
    book: Arc<Mutex<Book>>,
}

struct Book {
    fence: u64,
    held: HashMap<String, Held>,
    swept_at: usize,
    /// Rung when a lock is let go; there is one as long as somebody watches.
    bells: HashMap<String, Weak<Notify>>,
}

struct Held {
    token: u64,
    until: Timestamp,
}

impl InProcessLocks {
    /// Locks whose leases this clock ends, and whose holders write to this store.
    pub fn new(clock: Arc<dyn Clock>, store: SqliteStore) -> Self {
        let book = Book { fence: 0, held: HashMap::new(), swept_at: SWEPT_AT_MIN, bells: HashMap::new() };
        Self { clock, store, book: Arc::new(Mutex::new(book)) }
    }
}

fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn is_any_held(&self, names: &[&str], now: Timestamp) -> bool {
        names.iter().any(|name| self.held.get(*name).is_some_and(|held| now < held.until))
    }

    fn grant(&mut self, name: &str, now: Timestamp, lease: Duration) -> LockGrant {
        if self.held.len() >= self.swept_at {
            self.held.retain(|_, held| now < held.until);
            self.swept_at = SWEPT_AT_MIN.max(self.held.len() * 2);
        }
        self.fence += 1;
        let token = token();
        self.held.insert(name.to_owned(), Held { token, until: now.plus(lease) });
        LockGrant { name: name.to_owned(), token, fence: self.fence }
    }

    fn valid(&mut self, grant: &LockGrant, now: Timestamp) -> Option<&mut Held> {
        self.held.get_mut(&grant.name).filter(|held| held.token == grant.token && now < held.until)
    }

    fn release(&mut self, grant: &LockGrant, now: Timestamp) -> bool {
        let valid = self.valid(grant, now).is_some();
        if valid {
            self.held.remove(&grant.name);
            if let Some(bell) = self.bells.get(&grant.name).and_then(Weak::upgrade) {
                bell.notify_one();
            }
        }
        valid
    }
}

#[async_trait]
impl DistributedLock for InProcessLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        Ok(self.try_acquire_all(&[name], lease).await?.and_then(|mut grants| grants.pop()))
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        let now = self.clock.now();
        Ok(locked(&self.book).valid(grant, now).map(|held| held.until = now.plus(lease)).is_some())
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        Ok(locked(&self.book).release(grant, self.clock.now()))
    }

    async fn watch(&self, name: &str) -> Result<Option<Box<dyn LockWatch>>, LockError> {
        let mut book = locked(&self.book);
        let bell = book.bells.get(name).and_then(Weak::upgrade).unwrap_or_default();
        book.bells.insert(name.to_owned(), Arc::downgrade(&bell));
        Ok(Some(Box::new(Watch { book: Arc::clone(&self.book), name: name.to_owned(), bell })))
    }

    async fn try_acquire_all(&self, names: &[&str], lease: Duration) -> Result<Option<Vec<LockGrant>>, LockError> {
        // Whoever spins finds the lock held most of the time: nobody needs to ask the store for that.
        if locked(&self.book).is_any_held(names, self.clock.now()) {
            return Ok(None);
        }
        let written = self.store.last_fence(names).await.map_err(|error| LockError(error.into()))?;
        let now = self.clock.now();
        let mut book = locked(&self.book);
        book.fence = book.fence.max(written);
        let free = !book.is_any_held(names, now);
        Ok(free.then(|| names.iter().map(|name| book.grant(name, now, lease)).collect()))
    }
}

struct Watch {
    book: Arc<Mutex<Book>>,
    name: String,
    bell: Arc<Notify>,
}

#[async_trait]
impl LockWatch for Watch {
    async fn freed(&mut self) {
        self.bell.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Nobody else can begin to watch at this moment.
        let mut book = locked(&self.book);
        drop(std::mem::take(&mut self.bell));
        if book.bells.get(&self.name).is_some_and(|bell| bell.strong_count() == 0) {
            book.bells.remove(&self.name);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a token is a secret: nobody may be able to foretell it, in tests neither")]
fn token() -> u64 {
    rand::rng().random()
}

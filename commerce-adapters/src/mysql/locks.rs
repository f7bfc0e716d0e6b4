//! Locks that a session of the server holds, for a shop without Redis.

mod names;
mod session;

use self::session::{Call, Idle, Session};
use super::MysqlOptions;
use crate::random::ThreadRandom;
use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant};
use commerce_core::store::Random;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Locks that are held at once by a process at most, or groups of locks that were taken together: each has a connection of its own.
const SESSIONS_MAX: usize = 16;
/// How long somebody waits for one of them.
const SESSION_WAIT_MAX: Duration = Duration::from_secs(3);

/// Named locks by `GET_LOCK`, each held by a connection of its own for as long as the lock is held, on the server where the store is.
///
/// The server lets a lock go when its connection ends: at once when the process ends, and, if the process stalls or is cut off, when nothing was
/// heard of it for the lease, in whole seconds. Fences are counted in the store itself: whoever held the lock before is refused as soon as it is
/// granted anew, which costs each grant a commit. When this is dropped, everything it holds is let go.
///
/// It is not for a group of servers that all take writes, which do not know of each other's locks, and not for a proxy that lends connections out
/// statement by statement.
pub struct MysqlLocks {
    options: MysqlOptions,
    sessions: Arc<Semaphore>,
    idle: Idle,
    holders: Holders,
}

/// Where the session of each token is called. Sessions end when nobody can call them any more.
type Holders = Arc<Mutex<HashMap<u64, mpsc::Sender<Call>>>>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MysqlLocks {
    /// Locks on the server of this database, in which they are counted.
    pub fn new(options: MysqlOptions) -> Self {
        let sessions = Arc::new(Semaphore::new(SESSIONS_MAX));
        Self { options, sessions, idle: Idle::default(), holders: Holders::default() }
    }

    /// Calls the sessions of these grants, each once; whether all of them are there and say yes.
    async fn call_all(&self, grants: &[LockGrant], call: impl Fn(Vec<u64>, oneshot::Sender<Answer>) -> Call) -> Answer {
        let (mut sessions, mut all): (Vec<(mpsc::Sender<Call>, Vec<u64>)>, _) = (Vec::new(), true);
        for grant in grants {
            let Some(session) = locked(&self.holders).get(&grant.token).cloned() else {
                all = false;
                continue;
            };
            match sessions.iter_mut().find(|(other, _)| other.same_channel(&session)) {
                Some((_, tokens)) => tokens.push(grant.token),
                None => sessions.push((session, vec![grant.token])),
            }
        }
        for (session, tokens) in sessions {
            let (reply, answer) = oneshot::channel();
            // A session that has ended in the meantime has let everything go.
            all &= session.send(call(tokens, reply)).await.is_ok() && answer.await.unwrap_or(Ok(false))?;
        }
        Ok(all)
    }
}

type Answer = Result<bool, LockError>;

#[async_trait]
impl DistributedLock for MysqlLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        Ok(self.try_acquire_all(&[name], lease).await?.and_then(|mut grants| grants.pop()))
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        self.renew_all(std::slice::from_ref(grant), lease).await
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        self.release_all(std::slice::from_ref(grant)).await
    }

    async fn try_acquire_all(&self, names: &[&str], lease: Duration) -> Result<Option<Vec<LockGrant>>, LockError> {
        let permit = tokio::time::timeout(SESSION_WAIT_MAX, Arc::clone(&self.sessions).acquire_owned()).await;
        let permit = permit.map_err(|late| LockError(late.into()))?.map_err(|closed| LockError(closed.into()))?;
        let Some((session, fences)) = Session::open(&self.options, &self.idle, names, lease).await? else { return Ok(None) };
        let grant = |(name, fence): (&&str, u64)| LockGrant { name: (*name).to_owned(), token: ThreadRandom.up_to(u64::MAX), fence };
        let grants: Vec<_> = names.iter().zip(fences).map(grant).collect();
        let (calls, called) = mpsc::channel(1);
        locked(&self.holders).extend(grants.iter().map(|grant| (grant.token, calls.clone())));
        let locks = grants.iter().map(|grant| (grant.token, grant.name.clone())).collect();
        let (holders, idle) = (Arc::downgrade(&self.holders), self.idle.clone());
        tokio::spawn(async move {
            let tokens: Vec<u64> = session.hold(locks, lease, called, &idle).await;
            if let Some(holders) = holders.upgrade() {
                let mut holders = locked(&holders);
                for token in tokens {
                    holders.remove(&token);
                }
            }
            drop(permit);
        });
        Ok(Some(grants))
    }

    async fn renew_all(&self, grants: &[LockGrant], lease: Duration) -> Result<bool, LockError> {
        self.call_all(grants, |tokens, reply| Call::Renew { tokens, lease, reply }).await
    }

    async fn release_all(&self, grants: &[LockGrant]) -> Result<bool, LockError> {
        self.call_all(grants, |tokens, reply| Call::Release { tokens, reply }).await
    }
}

mod bells;
mod slots;
mod unheard;

use self::bells::Bells;
use self::slots::by_slot;
use self::unheard::Unheard;
use super::{Redis, Script};
use crate::random::ThreadRandom;
use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant, LockWatch};
use commerce_core::store::Random;
use redis::RedisError;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// How long the last fence of a name is remembered after its last grant. Fences follow the clock of the server, so that this matters only if the
/// clock is set back.
const REMEMBERED: Duration = Duration::from_hours(7 * 24);

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new("lock-acquire", include_str!("locks/acquire.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new("lock-renew", include_str!("locks/renew.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new("lock-release", include_str!("locks/release.lua")));

/// Named locks in Redis.
///
/// Leases end by the clock of the server. A fence is the time of the grant in microseconds, or one more than the last fence if that is larger: it
/// goes on growing also after a server has lost its memory, or a replica that had not heard of the last grant has become the master.
///
/// An attempt whose outcome is not heard of may still be granted, or arrive much later and be granted then, when nobody waits for it any more. Whoever
/// asks for the same locks next in this process asks with its token first, and has what was granted to it.
///
/// Many locks are taken together by one script on one server. On a Cluster it is one script for each slot, in ascending order of the slots: names
/// with the same text in braces, such as `stock-{7}-1`, are in one.
#[derive(Clone)]
pub struct RedisLocks {
    redis: Redis,
    bells: Arc<Bells>,
    unheard: Arc<Unheard>,
}

impl RedisLocks {
    /// Locks on these servers.
    pub fn new(redis: Redis) -> Self {
        Self { redis, bells: Arc::default(), unheard: Arc::default() }
    }

    fn key(&self, name: &str) -> String {
        self.redis.key(format_args!("lock:{name}"))
    }

    /// Where is told that the lock is let go.
    fn channel(&self, name: &str) -> String {
        self.redis.key(format_args!("lock-freed:{name}"))
    }

    /// Puts together what one script can do.
    fn parts<T>(&self, items: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &str) -> Vec<Vec<T>> {
        if self.redis.is_cluster() { by_slot(items, |item| self.key(name(item))) } else { vec![items.into_iter().collect()] }
    }

    /// Takes locks of one part: those that were granted to an attempt that nobody heard of, or else with a new token.
    async fn acquire_part(&self, names: &[&str], lease: Duration) -> Result<Option<Vec<LockGrant>>, LockError> {
        let keys: Vec<String> = names.iter().map(|name| self.key(name)).collect();
        if let Some(token) = self.unheard.taken(&keys)
            && let Some(grants) = self.acquire_as(token, names, &keys, lease).await?
        {
            return Ok(Some(grants));
        }
        // What was refused is free all the same if it was granted to that attempt, and the lease has ended.
        self.acquire_as(draw(), names, &keys, lease).await
    }

    async fn acquire_as(&self, token: u64, names: &[&str], keys: &[String], lease: Duration) -> Result<Option<Vec<LockGrant>>, LockError> {
        let arguments = [token, micros(lease), micros(lease.saturating_add(REMEMBERED)) / 1_000];
        let asked = self.unheard.asked(keys, token);
        let fences: Option<Vec<u64>> = self.redis.eval(&ACQUIRE, keys, &arguments).await.map_err(lock_error)?;
        asked.answered();
        let grant = |(name, fence): (&&str, u64)| LockGrant { name: (*name).to_owned(), token, fence };
        Ok(fences.map(|fences| names.iter().zip(fences).map(grant).collect()))
    }

    /// Grants that were taken together have the same token: each script speaks for those of one token and one part.
    fn by_token<'a>(&self, grants: &'a [LockGrant]) -> Vec<(u64, Vec<&'a LockGrant>)> {
        let parts = self.parts(grants, |grant| &grant.name).into_iter();
        let tokens = |part: Vec<&'a LockGrant>| {
            let mut tokens = Vec::<(u64, Vec<&LockGrant>)>::new();
            for grant in part {
                match tokens.iter_mut().find(|(token, _)| *token == grant.token) {
                    Some((_, same)) => same.push(grant),
                    None => tokens.push((grant.token, vec![grant])),
                }
            }
            tokens
        };
        parts.flat_map(tokens).collect()
    }

    async fn is_done(&self, script: &Script, grants: &[&LockGrant], arguments: &[String]) -> Result<bool, LockError> {
        let keys: Vec<String> = grants.iter().map(|grant| self.key(&grant.name)).collect();
        self.redis.eval(script, &keys, arguments).await.map_err(lock_error)
    }
}

impl fmt::Debug for RedisLocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLocks").field("redis", &self.redis).finish_non_exhaustive()
    }
}

fn lock_error(error: RedisError) -> LockError {
    LockError(error.into())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Drawn anew for each grant and each release: who asks again, because an answer did not arrive, asks with the same one.
fn draw() -> u64 {
    ThreadRandom.up_to(u64::MAX)
}

#[async_trait]
impl DistributedLock for RedisLocks {
    async fn try_acquire(&self, name: &str, lease: Duration) -> Result<Option<LockGrant>, LockError> {
        Ok(self.acquire_part(&[name], lease).await?.and_then(|mut grants| grants.pop()))
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        self.renew_all(std::slice::from_ref(grant), lease).await
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        self.release_all(std::slice::from_ref(grant)).await
    }

    async fn watch(&self, name: &str) -> Result<Option<Box<dyn LockWatch>>, LockError> {
        Ok(Some(Box::new(self.bells.watch(&self.redis, self.channel(name)).await)))
    }

    async fn try_acquire_all(&self, names: &[&str], lease: Duration) -> Result<Option<Vec<LockGrant>>, LockError> {
        let mut grants = Vec::with_capacity(names.len());
        for part in self.parts(names.iter().copied(), |name| name) {
            match self.acquire_part(&part, lease).await {
                Ok(Some(mut granted)) => grants.append(&mut granted),
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
        grants.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(grants))
    }

    async fn renew_all(&self, grants: &[LockGrant], lease: Duration) -> Result<bool, LockError> {
        for (token, grants) in self.by_token(grants) {
            if !self.is_done(&RENEW, &grants, &[token, micros(lease)].map(|number| number.to_string())).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn release_all(&self, grants: &[LockGrant]) -> Result<bool, LockError> {
        let mut all = true;
        for (token, grants) in self.by_token(grants) {
            let channels = grants.iter().map(|grant| self.channel(&grant.name));
            let arguments: Vec<String> = [token, draw()].iter().map(u64::to_string).chain(channels).collect();
            all &= self.is_done(&RELEASE, &grants, &arguments).await?;
        }
        Ok(all)
    }
}

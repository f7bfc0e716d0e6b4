use super::{Redis, Script};
use crate::random::ThreadRandom;
use async_trait::async_trait;
use commerce_core::lock::{DistributedLock, LockError, LockGrant};
use commerce_core::store::Random;
use redis::{RedisError, RedisResult};
use std::sync::LazyLock;
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
#[derive(Debug, Clone)]
pub struct RedisLocks {
    redis: Redis,
}

impl RedisLocks {
    /// Locks on these servers.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn key(&self, name: &str) -> [String; 1] {
        [self.redis.key(format_args!("lock:{name}"))]
    }

    async fn is_done(&self, script: &Script, grant: &LockGrant, argument: u64) -> Result<bool, LockError> {
        let done: RedisResult<bool> = self.redis.eval(script, &self.key(&grant.name), &[grant.token, argument]).await;
        done.map_err(lock_error)
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
        let token = draw();
        let arguments = [token, micros(lease), micros(lease.saturating_add(REMEMBERED)) / 1_000];
        let fence: Option<u64> = self.redis.eval(&ACQUIRE, &self.key(name), &arguments).await.map_err(lock_error)?;
        Ok(fence.map(|fence| LockGrant { name: name.to_owned(), token, fence }))
    }

    async fn renew(&self, grant: &LockGrant, lease: Duration) -> Result<bool, LockError> {
        self.is_done(&RENEW, grant, micros(lease)).await
    }

    async fn release(&self, grant: &LockGrant) -> Result<bool, LockError> {
        self.is_done(&RELEASE, grant, draw()).await
    }
}

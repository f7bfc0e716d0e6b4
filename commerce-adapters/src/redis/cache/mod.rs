use super::{Redis, Script};
use crate::random::ThreadRandom;
use async_trait::async_trait;
use commerce_core::cache::{CacheError, FillRight, Look, ReadCache};
use commerce_core::store::Random;
use futures_util::future::try_join_all;
use redis::{RedisError, cmd};
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

static LOOK: LazyLock<Script> = LazyLock::new(|| Script::new("cache-look", include_str!("look.lua")));
static FILL: LazyLock<Script> = LazyLock::new(|| Script::new("cache-fill", include_str!("fill.lua")));
static GIVE_UP: LazyLock<Script> = LazyLock::new(|| Script::new("cache-give-up", include_str!("give_up.lua")));

/// What begins a key that holds a value; one that holds a right begins with `R`, and its number follows.
const VALUE: u8 = b'V';
/// The answer of `look.lua` that is no value: the right is the reader's.
const GRANTED: u8 = b'G';

/// A cache in Redis, which all processes share.
///
/// A right and the value that follows it are under the same key, so that whatever ends the one cannot miss the other, and a Cluster may keep each key
/// where it likes. All keys expire.
#[derive(Clone)]
pub struct RedisCache {
    redis: Redis,
}

impl RedisCache {
    /// A cache on these servers.
    pub const fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn key(&self, key: &str) -> String {
        self.redis.key(format_args!("cache:{key}"))
    }

    async fn look_at(&self, key: &str, lease: Duration) -> Result<Look, CacheError> {
        // Drawn anew for each look: who asks again, because an answer did not arrive, asks with the same one.
        let right = ThreadRandom.up_to(u64::MAX);
        let mut held: Vec<u8> = self.redis.eval(&LOOK, &[self.key(key)], &[right, millis(lease)]).await.map_err(cache_error)?;
        Ok(match held.first() {
            Some(&VALUE) => Look::Found(held.split_off(1)),
            Some(&GRANTED) => Look::Granted(FillRight(right)),
            _ => Look::Taken,
        })
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("redis", &self.redis).finish_non_exhaustive()
    }
}

fn cache_error(error: RedisError) -> CacheError {
    CacheError(error.into())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[async_trait]
impl ReadCache for RedisCache {
    async fn look(&self, keys: &[String], lease: Duration) -> Result<Vec<Look>, CacheError> {
        try_join_all(keys.iter().map(|key| self.look_at(key, lease))).await
    }

    async fn fill(&self, key: &str, right: FillRight, value: Vec<u8>, keep: Duration) -> Result<(), CacheError> {
        let arguments = [right.0.to_string().into_bytes(), value, millis(keep).to_string().into_bytes()];
        self.redis.eval::<()>(&FILL, &[self.key(key)], &arguments).await.map_err(cache_error)
    }

    async fn give_up(&self, key: &str, right: FillRight) -> Result<(), CacheError> {
        self.redis.eval::<()>(&GIVE_UP, &[self.key(key)], &[right.0]).await.map_err(cache_error)
    }

    async fn forget(&self, keys: &[String]) -> Result<(), CacheError> {
        // One by one: on a Cluster they are on several servers.
        let forgotten = keys.iter().map(async |key| self.redis.run::<()>(cmd("DEL").arg(self.key(key))).await.map_err(cache_error));
        try_join_all(forgotten).await.map(drop)
    }
}

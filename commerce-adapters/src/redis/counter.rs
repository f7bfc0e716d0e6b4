use super::{Redis, Script};
use crate::random::ThreadRandom;
use async_trait::async_trait;
use commerce_core::guard::{Admission, AdmissionCounter, CounterError};
use commerce_core::store::Random;
use redis::{RedisError, cmd};
use std::sync::LazyLock;
use std::time::Duration;

/// For how long a call is known that was made already: longer than anybody makes it again.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Scripts reckon in doubles.
const UNITS_MAX: u64 = 1 << 53;

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new("counter-take", include_str!("counter/take.lua")));
static GIVE: LazyLock<Script> = LazyLock::new(|| Script::new("counter-give", include_str!("counter/give.lua")));

/// Counts of what is left, in Redis: a key for each that expires when it is not believed any more, and a small one for every call, for ten seconds, by
/// which a call is known that is made again.
#[derive(Debug, Clone)]
pub struct RedisCounter {
    redis: Redis,
}

impl RedisCounter {
    /// Counts on these servers.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// The count and the mark of a call, on one server.
    fn keys(&self, name: &str) -> [String; 2] {
        let call = ThreadRandom.up_to(u64::MAX);
        [self.key(name), self.redis.key(format_args!("count:{{{name}}}:{call:x}"))]
    }

    fn key(&self, name: &str) -> String {
        self.redis.key(format_args!("count:{{{name}}}"))
    }
}

fn counter_error(error: RedisError) -> CounterError {
    CounterError(error.into())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(UNITS_MAX).clamp(1, UNITS_MAX)
}

#[async_trait]
impl AdmissionCounter for RedisCounter {
    async fn take(&self, name: &str, units: u64) -> Result<Admission, CounterError> {
        let arguments = [units, millis(REMEMBERED)];
        let answer: i64 = self.redis.eval(&TAKE, &self.keys(name), &arguments).await.map_err(counter_error)?;
        match answer {
            1 => Ok(Admission::Taken),
            0 => Ok(Admission::TooLate),
            _ => Ok(Admission::Unknown),
        }
    }

    async fn give(&self, name: &str, units: u64) -> Result<(), CounterError> {
        let arguments = [units.min(UNITS_MAX), millis(REMEMBERED)];
        self.redis.eval::<()>(&GIVE, &self.keys(name), &arguments).await.map_err(counter_error)
    }

    async fn tell(&self, name: &str, left: u64, believed: Duration) -> Result<(), CounterError> {
        let mut tell = cmd("SET");
        tell.arg(self.key(name)).arg(left.min(UNITS_MAX)).arg("NX").arg("PX").arg(millis(believed));
        self.redis.run::<()>(&tell).await.map_err(counter_error)
    }
}

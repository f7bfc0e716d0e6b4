use super::dialler::{Dialler, within};
use super::line::Line;
use super::options::{RedisOptions, Servers};
use super::script::Script;
use crate::random::ThreadRandom;
use commerce_core::store::Backoff;
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, ToRedisArgs, Value, cmd, from_redis_value};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::time::Instant;

/// The oldest Redis with every command that is used here.
const OLDEST: (u32, u32) = (6, 2);
/// How long a call may take with all its attempts.
const PATIENCE: Duration = Duration::from_secs(3);
/// A server that fails over is asked again a few times; who is waiting for an answer does not wait for longer.
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(20), cap: Duration::from_millis(200), attempts_max: 4 };

pub(super) const NO_ARGS: &[&str] = &[];

static INTRODUCE: LazyLock<Script> =
    LazyLock::new(|| Script::new("introduce", "return {redis.call('INFO', 'server'), redis.call('INFO', 'memory')}"));

/// Why Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server answers, or it does not let us in.
    #[error("cannot use Redis at {0}")]
    Unreachable(String, #[source] RedisError),
    /// The server is too old.
    #[error("Redis at {0} has version {1}, and 6.2 is the oldest that will do")]
    TooOld(String, String),
}

/// A server of Redis, the master of a Sentinel, or a Cluster. Cloning it is cheap; all clones share their connections.
///
/// Calls that fail for a reason that passes are tried again, at most four times and for at most three seconds: everything that is called through it
/// has to be safe to repeat.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    link: Link,
    dialler: Arc<Dialler>,
    prefix: String,
}

enum Link {
    Line(Line),
    Cluster(ClusterConnection),
}

impl Redis {
    /// Connects, and makes sure that scripts can be run.
    ///
    /// # Errors
    /// [`ConnectError`] if that is not so.
    pub async fn connect(options: &RedisOptions) -> Result<Self, ConnectError> {
        let unreachable = |error| ConnectError::Unreachable(options.to_string(), error);
        let dialler = Arc::new(Dialler::new(options));
        let link = match &options.servers {
            Servers::One(_) | Servers::Sentinel(_) => Link::Line(Line::new(Arc::clone(&dialler))),
            Servers::Cluster(servers) => Link::Cluster(dialler.cluster(servers, PATIENCE).await.map_err(unreachable)?),
        };
        let redis = Self(Arc::new(Shared { link, dialler, prefix: options.prefix.clone() }));
        let (server, memory): (String, String) = redis.eval(&INTRODUCE, &[redis.key("introduce")], NO_ARGS).await.map_err(unreachable)?;
        let version = field(&server, "redis_version").unwrap_or_default();
        if numbers(version) < Some(OLDEST) {
            return Err(ConnectError::TooOld(options.to_string(), version.to_owned()));
        }
        warn_of_eviction(options, &memory);
        Ok(redis)
    }

    /// Asks whether the server is there.
    ///
    /// # Errors
    /// Those of the driver if it is not.
    pub async fn ping(&self) -> RedisResult<()> {
        self.send(&cmd("PING")).await.map(drop)
    }

    /// Runs a script on these keys, which have one hash tag, with these arguments.
    ///
    /// # Errors
    /// Those of the driver. The script may have run all the same.
    pub async fn eval<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        args: impl ToRedisArgs + Copy + Send + Sync,
    ) -> RedisResult<T> {
        let begun = Instant::now();
        let outcome = match self.send(&script.by_hash(keys, args)).await {
            // The server was restarted, or has become the master only now.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => self.send(&script.by_text(keys, args)).await,
            outcome => outcome,
        };
        metrics::histogram!("commerce_redis_script_seconds", "script" => script.name()).record(begun.elapsed());
        Ok(from_redis_value(outcome?)?)
    }

    /// Runs a command that is safe to repeat.
    ///
    /// # Errors
    /// Those of the driver. The command may have run all the same.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        Ok(from_redis_value(self.send(command).await?)?)
    }

    /// The key of this name.
    pub(super) fn key(&self, name: impl fmt::Display) -> String {
        format!("{}{name}", self.0.prefix)
    }

    /// Whether keys are on several servers.
    pub(super) fn is_cluster(&self) -> bool {
        self.0.dialler.is_cluster()
    }

    pub(super) fn dialler(&self) -> Arc<Dialler> {
        Arc::clone(&self.0.dialler)
    }

    async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        within(PATIENCE, self.attempts(command)).await
    }

    async fn attempts(&self, command: &Cmd) -> RedisResult<Value> {
        let mut failures = 0;
        loop {
            let outcome = match &self.0.link {
                Link::Line(line) => line.send(command).await,
                Link::Cluster(cluster) => command.query_async(&mut cluster.clone()).await,
            };
            let Err(error) = outcome else { return outcome };
            failures += 1;
            let pause = BACKOFF.delay(failures, &ThreadRandom).filter(|_| passes(&error)).ok_or(error)?;
            metrics::counter!("commerce_redis_retries_total").increment(1);
            tokio::time::sleep(pause).await;
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.prefix).field("cluster", &self.0.dialler.is_cluster()).finish_non_exhaustive()
    }
}

/// Whether a call that failed like this may do better a moment later.
fn passes(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
    match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound | ErrorKind::MasterNameNotFoundBySentinel => true,
        ErrorKind::Server(kind) => matches!(kind, Ask | BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly | TryAgain),
        _ => false,
    }
}

/// What a server says of one thing.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Whatever is kept here is kept until it expires: a server that throws keys away to make room closes gates and has boards counted anew.
fn warn_of_eviction(options: &RedisOptions, memory: &str) {
    let (policy, max) = (field(memory, "maxmemory_policy"), field(memory, "maxmemory"));
    if let Some(policy) = policy.filter(|policy| *policy != "noeviction" && max != Some("0")) {
        tracing::warn!(redis = %options, policy, "this server throws keys away when it is full: set its maxmemory-policy to noeviction");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_tells_its_version() {
        let info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
        assert_eq!(field(info, "redis_version").map(numbers), Some(Some((7, 0))));
        assert_eq!(field(info, "redis"), None);
        assert!(numbers("6.0.16") < Some(OLDEST) && numbers("6.2") >= Some(OLDEST) && numbers("10.0.0") >= Some(OLDEST));
        assert_eq!(numbers("unknown"), None);
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        let error = |kind| RedisError::from((kind, "for a test"));
        for kind in [ErrorKind::Io, ErrorKind::Server(ServerErrorKind::ReadOnly), ErrorKind::Server(ServerErrorKind::BusyLoading)] {
            assert!(passes(&error(kind)), "{kind:?}");
        }
        for kind in [ErrorKind::AuthenticationFailed, ErrorKind::Server(ServerErrorKind::NoPerm), ErrorKind::Extension] {
            assert!(!passes(&error(kind)), "{kind:?}");
        }
    }
}

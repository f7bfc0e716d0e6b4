//! A shop on servers that any number of processes share: its data in MySQL, gates, boards, locks and notifications in Redis, its events on Kafka.
//!
//! Open the parts in each process, and a [`Commerce`](commerce_core::Commerce) with them. Where commands are taken,
//! [`follow`](commerce_core::Commerce::follow) the groups and [start a relay](commerce_core::Commerce::start_relay); elsewhere, or in the same process,
//! [start consumers](commerce_core::Commerce::start_consumers) and the [scheduler](commerce_core::Commerce::start_scheduler).

use crate::clock::SystemClock;
use crate::kafka::{self, KafkaBus, KafkaOptions};
use crate::mysql::{self, MysqlOptions, MysqlStore};
use crate::password::Argon2Hasher;
use crate::random::ThreadRandom;
use crate::redis::{self, Redis, RedisBoard, RedisCache, RedisGate, RedisLocks, RedisNotifier, RedisOptions};
use commerce_core::Parts;
use commerce_core::messaging::BusError;
use commerce_core::store::HiLo;
use commerce_core::user::PasswordError;
use futures_util::future::try_join3;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long each server may take until it can be used.
const OPEN_MAX: Duration = Duration::from_secs(10);

/// Where the servers are.
#[derive(Debug, Clone)]
pub struct DistributedOptions {
    /// The database.
    pub mysql: MysqlOptions,
    /// What is fast and may be forgotten.
    pub redis: RedisOptions,
    /// How events travel.
    pub kafka: KafkaOptions,
}

/// Why a shop on servers cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be used.
    #[error("MySQL")]
    Mysql(#[source] mysql::OpenError),
    /// Redis cannot be used.
    #[error("Redis")]
    Redis(#[source] redis::ConnectError),
    /// Kafka cannot be used.
    #[error("Kafka")]
    Kafka(#[source] kafka::ConnectError),
    /// A server neither lets us in nor says why.
    #[error("{0} does not answer within {seconds} s", seconds = OPEN_MAX.as_secs())]
    Silent(&'static str),
    /// Passwords cannot be hashed on this machine.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// The parts of a shop on servers.
pub struct DistributedParts {
    parts: Parts,
    store: MysqlStore,
    redis: Redis,
    bus: Arc<KafkaBus>,
}

impl DistributedParts {
    /// Connects to every server. The schema and the topics have to be there, as this version of the program needs them.
    ///
    /// It must be called, and its parts be used, within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] for the first server that cannot be used.
    pub async fn open(options: &DistributedOptions) -> Result<Self, OpenError> {
        let DistributedOptions { mysql, redis, kafka } = options;
        let store = within("MySQL", MysqlStore::connect(mysql), OpenError::Mysql);
        let redis = within("Redis", Redis::connect(redis), OpenError::Redis);
        let bus = within("Kafka", KafkaBus::connect(kafka), OpenError::Kafka);
        let (store, redis, bus) = try_join3(store, redis, bus).await?;
        let (shared, bus) = (Arc::new(store.clone()), Arc::new(bus));
        let parts = Parts {
            ids: Arc::new(HiLo::new(Arc::clone(&shared) as _)),
            store: shared,
            bus: Arc::clone(&bus) as _,
            notifier: Arc::new(RedisNotifier::new(redis.clone())),
            locks: Arc::new(RedisLocks::new(redis.clone())),
            gate: Arc::new(RedisGate::new(redis.clone())),
            board: Arc::new(RedisBoard::new(redis.clone())),
            cache: Arc::new(RedisCache::new(redis.clone())),
            passwords: Arc::new(Argon2Hasher::new()?),
            clock: Arc::new(SystemClock),
            random: Arc::new(ThreadRandom),
        };
        Ok(Self { parts, store, redis, bus })
    }

    /// The parts, to open a [`Commerce`](commerce_core::Commerce) with.
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Redis, to ask whether it is there.
    pub const fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Kafka, to ask whether it is there.
    pub const fn bus(&self) -> &Arc<KafkaBus> {
        &self.bus
    }

    /// Waits for what is under way, and closes the connections. Shut the shop down first.
    ///
    /// # Errors
    /// [`BusError`] if not everything that was published is known to be written: it is published again then.
    pub async fn close(self) -> Result<(), BusError> {
        self.store.close().await;
        self.bus.close().await
    }
}

async fn within<T, E>(
    server: &'static str,
    opening: impl Future<Output = Result<T, E>>,
    blame: fn(E) -> OpenError,
) -> Result<T, OpenError> {
    timeout(OPEN_MAX, opening).await.map_err(|_late| OpenError::Silent(server))?.map_err(blame)
}

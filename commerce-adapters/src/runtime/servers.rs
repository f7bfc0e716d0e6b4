//! A shop on MySQL, Redis and Kafka, as its operators see it.

use super::{Failure, Progress};
use crate::distributed::{DistributedOptions, DistributedParts, OpenError};
use crate::http::{Dependency, Ping};
use crate::kafka::KafkaBus;
use crate::mysql::{self, MysqlStore};
use crate::redis::Redis;
use async_trait::async_trait;
use std::error::Error;
use std::num::NonZeroU16;
use std::sync::Arc;

/// More at once would make smaller batches that wait for each other's rows: one made a fifth more purchases than two did, on two cores with 8, 40 and 256
/// buyers at two API servers (`cargo bench --bench purchase -- AT_ONCE=2`).
pub(super) const TRANSACTIONS_AT_ONCE: NonZeroU16 = NonZeroU16::MIN;

/// Opens the shop.
pub(super) async fn open(options: &DistributedOptions) -> Result<DistributedParts, Failure> {
    DistributedParts::open(options).await.map_err(|error| match &error {
        OpenError::Mysql(error) => cannot_use("MySQL", options.mysql.database(), error),
        error => Failure::missing("cannot open the shop", error),
    })
}

fn cannot_use(server: &str, database: &str, error: &mysql::OpenError) -> Failure {
    let hint = match error {
        mysql::OpenError::SchemaOlder { .. } => " (commerce-admin migrate does it)",
        mysql::OpenError::SchemaNewer { .. } | mysql::OpenError::Migration(_) | mysql::OpenError::Store(_) => "",
    };
    match Failure::missing(format!("cannot open the shop in the database {database} on {server}"), error) {
        Failure::Missing(sentence) => Failure::Missing(format!("{sentence}{hint}")),
        failure => failure,
    }
}

/// Brings the schema up to date.
pub(super) async fn migrate(options: &DistributedOptions) -> Result<(), Failure> {
    let mut progress = Progress::begin("schema");
    let migrated = MysqlStore::migrate(&options.mysql, |done, total| progress.at("steps", done as u64, total as u64)).await;
    progress.end();
    migrated
        .map_err(|error| Failure::missing(format!("cannot bring the database {} on MySQL up to date", options.mysql.database()), &error))
}

/// Makes the topics that are missing; answers a line for each topic.
pub(super) async fn create_topics(
    options: &DistributedOptions,
    partitions: NonZeroU16,
    replicas: NonZeroU16,
) -> Result<Vec<String>, Failure> {
    let topics = crate::kafka::create_topics(&options.kafka, partitions, replicas).await;
    let topics = topics.map_err(|error| Failure::missing("cannot make the topics", &error))?;
    Ok(topics.iter().map(ToString::to_string).collect())
}

/// What is to be there beside the store.
pub(super) fn dependencies(parts: &DistributedParts) -> Vec<Dependency> {
    let (redis, bus) = (RedisPing(parts.redis().clone()), BusPing(Arc::clone(parts.bus())));
    vec![Dependency::new("redis", redis), Dependency::new("kafka", bus)]
}

struct RedisPing(Redis);

#[async_trait]
impl Ping for RedisPing {
    async fn ping(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.0.ping().await?)
    }
}

struct BusPing(Arc<KafkaBus>);

#[async_trait]
impl Ping for BusPing {
    async fn ping(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.0.ping().await?)
    }
}

use super::{Failure, SharedArgs};
use std::path::PathBuf;

#[cfg(feature = "distributed")]
use super::SecretText;
#[cfg(feature = "distributed")]
use crate::distributed::DistributedOptions;

/// What a shop is made of, as its options say.
pub(super) enum SetUp {
    /// One file; no server is needed.
    OneFile(PathBuf),
    /// Servers that several processes share.
    #[cfg(feature = "distributed")]
    Servers(Box<DistributedOptions>),
}

impl SharedArgs {
    /// What these options name, if it can be: nothing is opened.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it cannot be, [`Failure::Missing`] if a file with a secret cannot be read.
    pub(super) fn set_up(&self) -> Result<SetUp, Failure> {
        match self.store.reveal().split_once(':') {
            Some(("sqlite", path)) => self.one_file(path.strip_prefix("//").unwrap_or(path)),
            Some(("mysql" | "mariadb", _)) => self.servers(),
            _ => Err(Failure::Usage("--store is written sqlite:PATH or mysql://user@host:port/database".into())),
        }
    }

    fn one_file(&self, path: &str) -> Result<SetUp, Failure> {
        if path.is_empty() || path.starts_with(':') || path.ends_with('/') {
            return Err(Failure::Usage("a SQLite store is named by a file: --store sqlite:PATH".into()));
        }
        if self.transactions_at_once.is_some() {
            return Err(Failure::Usage("--transactions-at-once is for a shop on MySQL: a SQLite store has one writer".into()));
        }
        match self.given_servers() {
            [None, None] => Ok(SetUp::OneFile(path.into())),
            [Some(option), _] | [None, Some(option)] => Err(with_one_file(option)),
        }
    }

    /// Which of the servers beside the store are named.
    fn given_servers(&self) -> [Option<&'static str>; 2] {
        [self.redis.as_ref().map(|_| "--redis"), self.kafka.as_ref().map(|_| "--kafka")]
    }
}

/// Refuses a shop in one file for a program that has nothing to do there.
pub(super) fn needs_servers(reason: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{reason}: this is for a shop on MySQL, Redis and Kafka"))
}

#[cfg(not(feature = "distributed"))]
fn with_one_file(option: &str) -> Failure {
    not_built_in(option)
}

#[cfg(feature = "distributed")]
fn with_one_file(option: &str) -> Failure {
    let message =
        "is for a shop on MySQL, and a SQLite store needs no server: leave it out, or use --store mysql://user@host:port/database";
    Failure::Usage(format!("{option} {message}"))
}

#[cfg(not(feature = "distributed"))]
fn not_built_in(what: &str) -> Failure {
    let message = "needs a binary that is built with the feature `distributed`, and this one is not: use --store sqlite:PATH alone";
    Failure::Usage(format!("{what} {message}"))
}

#[cfg(not(feature = "distributed"))]
impl SharedArgs {
    #[expect(clippy::unused_self, reason = "a build with the feature looks at the options")]
    fn servers(&self) -> Result<SetUp, Failure> {
        Err(not_built_in("a MySQL store"))
    }
}

#[cfg(feature = "distributed")]
impl SharedArgs {
    fn servers(&self) -> Result<SetUp, Failure> {
        let (Some(redis), Some(kafka)) = (&self.redis, &self.kafka) else {
            let missing = ["--redis", "--kafka"].into_iter().filter(|option| !self.given_servers().contains(&Some(option)));
            let missing: Vec<_> = missing.collect();
            return Err(Failure::Usage(format!("a MySQL store needs {} too: give the servers' addresses", missing.join(" and "))));
        };
        let usage = |error: &dyn std::error::Error| Failure::Usage(error.to_string());

        let mut mysql = crate::mysql::MysqlOptions::parse(self.store.reveal()).map_err(|error| usage(&error))?;
        warn_of_readable("--store", &self.store, mysql.has_password());
        if let Some(path) = &self.store_password_file {
            mysql = mysql.with_password(&secret_in(path)?);
        }

        let mut redis_options: crate::redis::RedisOptions = redis.reveal().parse().map_err(|error| usage(&error))?;
        warn_of_readable("--redis", redis, redis_options.has_password());
        if let Some(path) = &self.redis_password_file {
            redis_options = redis_options.with_password(&secret_in(path)?);
        }

        let mut kafka: crate::kafka::KafkaOptions = kafka.parse().map_err(|error| usage(&error))?;
        if let Some(path) = &self.kafka_properties_file {
            kafka = kafka.with_properties_file(path).map_err(|error| usage(&error))?;
        }
        if let Some(namespace) = &self.namespace {
            redis_options = redis_options.with_prefix(format!("{namespace}:")).map_err(|error| usage(&error))?;
            kafka = kafka.with_prefix(&format!("{namespace}.")).map_err(|error| usage(&error))?;
        }
        Ok(SetUp::Servers(Box::new(DistributedOptions { mysql, redis: redis_options, kafka })))
    }
}

#[cfg(feature = "distributed")]
fn warn_of_readable(option: &'static str, text: &SecretText, has_password: bool) {
    if has_password && text.is_on_the_command_line() {
        tracing::warn!("others on this machine can read the password in {option}: use {option}-password-file, or the environment");
    }
}

/// The secret in a file, without the line feed that editors put behind it.
#[cfg(feature = "distributed")]
fn secret_in(path: &std::path::Path) -> Result<String, Failure> {
    let read = std::fs::read_to_string(path);
    let secret = read.map_err(|error| Failure::missing(format!("cannot read the password in {}", path.display()), &error))?;
    match secret.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::Usage(format!("there is no password in {}", path.display()))),
        secret => Ok(secret.to_owned()),
    }
}

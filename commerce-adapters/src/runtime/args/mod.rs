//! What can be written on the command lines of the binaries; each option has an environment variable, too.

mod server;
mod text;
mod values;
mod workers;

pub use server::{AuthChoice, ServerArgs};
pub use text::SecretText;
pub use workers::{ConsumerArgs, SchedulerArgs};

use self::values::{at_once, calendar};
use crate::sqlite::Durability;
use clap::{Args, ValueEnum};
use commerce_core::BusinessCalendar;
use std::num::NonZeroU16;
use std::path::PathBuf;

/// The options that are the same in every binary.
#[derive(Debug, Clone, Args)]
pub struct SharedArgs {
    /// Where the shop's data lives: sqlite:PATH or mysql://user@host:port/database
    #[arg(long, env = "COMMERCE_STORE", hide_env_values = true, value_name = "URL", default_value = "sqlite:commerce.db", global = true)]
    pub store: SecretText,

    /// A file with the password for MySQL
    #[arg(long, env = "COMMERCE_STORE_PASSWORD_FILE", value_name = "PATH", global = true)]
    pub store_password_file: Option<PathBuf>,

    /// Redis, for gates, rankings, locks and notifications of a shop on MySQL: one URL, several for a Cluster, or redis+sentinel://…
    #[arg(long, env = "COMMERCE_REDIS", hide_env_values = true, value_name = "URL[,URL…]", global = true)]
    pub redis: Option<SecretText>,

    /// A file with the password for Redis
    #[arg(long, env = "COMMERCE_REDIS_PASSWORD_FILE", value_name = "PATH", global = true)]
    pub redis_password_file: Option<PathBuf>,

    /// Kafka, for the events of a shop on MySQL
    #[arg(long, env = "COMMERCE_KAFKA", value_name = "HOST:PORT[,…]", global = true)]
    pub kafka: Option<String>,

    /// A file with more properties of the Kafka client, name=value, such as those for TLS and SASL
    #[arg(long, env = "COMMERCE_KAFKA_PROPERTIES_FILE", value_name = "PATH", global = true)]
    pub kafka_properties_file: Option<PathBuf>,

    /// What the keys in Redis and the topics and groups in Kafka begin with, for shops that share servers
    #[arg(long, env = "COMMERCE_NAMESPACE", value_name = "NAME", global = true)]
    pub namespace: Option<String>,

    /// What a commit survives (SQLite only): a power cut, or a crash of the process
    #[arg(long, env = "COMMERCE_DURABILITY", value_enum, default_value_t = DurabilityChoice::Full, global = true)]
    pub durability: DurabilityChoice,

    /// The most commands that share a transaction; with 1 each has its own
    #[arg(long, env = "COMMERCE_COMMANDS_PER_TRANSACTION", value_name = "N", default_value = "256", global = true)]
    pub commands_per_transaction: NonZeroU16,

    /// How many transactions of a process run at once, 1 to 8 (MySQL only) [default: 1]
    #[arg(long, env = "COMMERCE_TRANSACTIONS_AT_ONCE", value_name = "N", value_parser = at_once, global = true)]
    pub transactions_at_once: Option<NonZeroU16>,

    /// The time zone of the business day, an IANA name such as Asia/Seoul
    #[arg(long, env = "COMMERCE_TIME_ZONE", value_name = "NAME", default_value = "UTC", value_parser = calendar, global = true)]
    pub time_zone: BusinessCalendar,

    /// How log lines are written to standard error; the environment variable `RUST_LOG` filters them
    #[arg(long, env = "COMMERCE_LOG", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log: LogFormat,
}

/// The choices of `--durability`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DurabilityChoice {
    /// A commit survives a power cut.
    Full,
    /// A commit survives a crash of the process; a power cut may lose the last moments.
    Relaxed,
}

impl From<DurabilityChoice> for Durability {
    fn from(choice: DurabilityChoice) -> Self {
        match choice {
            DurabilityChoice::Full => Self::Full,
            DurabilityChoice::Relaxed => Self::Relaxed,
        }
    }
}

/// The choices of `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

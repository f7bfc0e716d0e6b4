use super::Failure;
use crate::sqlite::Durability;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use commerce_core::BusinessCalendar;
use commerce_core::scheduler::Job;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The options that are the same in every binary.
#[derive(Debug, Clone, Args)]
pub struct SharedArgs {
    /// Where the shop's data lives: sqlite:PATH
    #[arg(long, env = "COMMERCE_STORE", hide_env_values = true, value_name = "URL", default_value = "sqlite:commerce.db", global = true)]
    pub store: StoreUrl,

    /// Redis servers for locks and notifications of a shop on more than one machine
    #[arg(long, env = "COMMERCE_REDIS", hide_env_values = true, value_name = "URL[,URL…]", global = true)]
    pub redis: Option<String>,

    /// Kafka brokers for the events of a shop on more than one machine
    #[arg(long, env = "COMMERCE_KAFKA", value_name = "HOST:PORT[,…]", global = true)]
    pub kafka: Option<String>,

    /// What a commit survives (SQLite only): a power cut, or a crash of the process
    #[arg(long, env = "COMMERCE_DURABILITY", value_enum, default_value_t = DurabilityChoice::Full, global = true)]
    pub durability: DurabilityChoice,

    /// The time zone of the business day, an IANA name such as Asia/Seoul
    #[arg(long, env = "COMMERCE_TIME_ZONE", value_name = "NAME", default_value = "UTC", value_parser = calendar, global = true)]
    pub time_zone: BusinessCalendar,

    /// How log lines are written to standard error; the environment variable `RUST_LOG` filters them
    #[arg(long, env = "COMMERCE_LOG", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log: LogFormat,
}

impl SharedArgs {
    /// The SQLite file these options name.
    ///
    /// # Errors
    /// [`Failure::Usage`] if they ask for a server this binary cannot talk to.
    pub fn sqlite_path(&self) -> Result<&PathBuf, Failure> {
        let StoreUrl::Sqlite(path) = &self.store else {
            let missing = [("--redis", &self.redis), ("--kafka", &self.kafka)];
            let missing: Vec<_> = missing.into_iter().filter(|(_, url)| url.is_none()).map(|(option, _)| option).collect();
            if missing.is_empty() {
                return Err(not_built_in("a MySQL store"));
            }
            return Err(Failure::Usage(format!("a MySQL store needs {} too: give the servers' addresses", missing.join(" and "))));
        };
        match (&self.redis, &self.kafka) {
            (None, None) => Ok(path),
            (Some(_), _) => Err(not_built_in("--redis")),
            (None, Some(_)) => Err(not_built_in("--kafka")),
        }
    }
}

fn not_built_in(what: &str) -> Failure {
    Failure::Usage(format!("this binary was built for the embedded set-up, which has no part for {what}: use --store sqlite:PATH alone"))
}

/// Where the shop's data lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A MySQL or MariaDB server.
    Mysql(String),
}

impl std::str::FromStr for StoreUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                let file = !path.is_empty() && !path.starts_with(':') && !path.ends_with('/');
                if file { Ok(Self::Sqlite(path.into())) } else { Err("a SQLite store is named by a file: sqlite:PATH".into()) }
            }
            Some(("mysql", _)) => Ok(Self::Mysql(url.to_owned())),
            _ => Err("use sqlite:PATH or mysql://user@host:port/database".into()),
        }
    }
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

/// The choices of `--auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthChoice {
    /// Every caller brings a signed token.
    Bearer,
    /// Nobody is checked and everything is allowed.
    Off,
}

/// The options of the API server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "COMMERCE_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// An address of their own for healthz, readyz and metrics
    #[arg(long, env = "COMMERCE_OPS_LISTEN", value_name = "ADDR:PORT")]
    pub ops_listen: Option<SocketAddr>,

    /// Who is checked: off lets every caller do everything
    #[arg(long, env = "COMMERCE_AUTH", value_enum, default_value_t = AuthChoice::Bearer)]
    pub auth: AuthChoice,

    /// The file with the token key, at least 32 bytes [default: made beside the SQLite file]
    #[arg(long, env = "COMMERCE_AUTH_SECRET_FILE", value_name = "PATH")]
    pub auth_secret_file: Option<PathBuf>,

    /// Unpaid orders expire after this time
    #[arg(long, env = "COMMERCE_PAYMENT_DEADLINE", value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub payment_deadline: Duration,

    /// One coupon request per user and coupon is taken in this time; 0s turns it off
    #[arg(long, env = "COMMERCE_COUPON_WINDOW", value_name = "DURATION", default_value = "3m", value_parser = duration)]
    pub coupon_window: Duration,

    /// Fill an empty database with the demo shop first
    #[arg(long, env = "COMMERCE_DEMO", value_parser = FalseyValueParser::new())]
    pub demo: bool,

    /// Allow --auth off and --demo on an address that others can reach
    #[arg(long, env = "COMMERCE_ALLOW_INSECURE", value_parser = FalseyValueParser::new())]
    pub allow_insecure: bool,
}

impl ServerArgs {
    /// Refuses what would open the shop to the world by mistake.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an open shop on an address that is not loopback, and for a deadline that is none.
    pub fn check(&self) -> Result<(), Failure> {
        let exposed = !self.listen.ip().is_loopback() && !self.allow_insecure;
        if exposed && self.auth == AuthChoice::Off {
            let listen = self.listen;
            return Err(Failure::Usage(format!(
                "--auth off on {listen} lets everybody do everything: add --allow-insecure if you mean it"
            )));
        }
        if exposed && self.demo {
            let listen = self.listen;
            return Err(Failure::Usage(format!(
                "the demo's passwords are public, and {listen} is not loopback: add --allow-insecure if you mean it"
            )));
        }
        if self.payment_deadline.is_zero() {
            return Err(Failure::Usage("--payment-deadline must be longer than 0".into()));
        }
        Ok(())
    }
}

/// The options of the scheduler.
#[derive(Debug, Clone, Args)]
pub struct SchedulerArgs {
    /// Do one job and end: ranking, expire-orders, sweep-coupons or housekeeping
    #[arg(long, env = "COMMERCE_ONCE", value_name = "JOB", value_parser = job)]
    pub once: Option<Job>,

    /// An address for healthz, readyz and metrics
    #[arg(long, env = "COMMERCE_OPS_LISTEN", value_name = "ADDR:PORT")]
    pub ops_listen: Option<SocketAddr>,
}

fn job(name: &str) -> Result<Job, String> {
    Job::named(name).ok_or_else(|| format!("the jobs are {}", Job::ALL.map(Job::name).join(", ")))
}

fn calendar(name: &str) -> Result<BusinessCalendar, String> {
    BusinessCalendar::named(name).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}: write 500ms, 3m, 15m or 24h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_file_or_a_server() {
        assert_eq!("sqlite:shop.db".parse(), Ok(StoreUrl::Sqlite("shop.db".into())));
        assert_eq!("sqlite:///var/lib/shop.db".parse(), Ok(StoreUrl::Sqlite("/var/lib/shop.db".into())));
        assert_eq!("mysql://a@b/c".parse(), Ok(StoreUrl::Mysql("mysql://a@b/c".into())));
        for wrong in ["", "sqlite:", "sqlite::memory:", "shop.db", "postgres://a"] {
            assert!(wrong.parse::<StoreUrl>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_job_is_named_and_an_unknown_one_is_told_the_names() {
        assert_eq!(job("expire-orders"), Ok(Job::ExpireOrders));
        assert_eq!(job("tidy"), Err("the jobs are ranking, expire-orders, sweep-coupons, housekeeping".into()));
    }

    #[test]
    fn durations_are_written_with_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("24h"), Ok(Duration::from_hours(24)));
        assert!(duration("15").is_err());
    }
}

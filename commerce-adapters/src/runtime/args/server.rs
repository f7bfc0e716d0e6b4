use super::super::Failure;
use super::values::duration;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The longest `--drain`: whoever ends a server waits for it.
const DRAIN_MAX: Duration = Duration::from_mins(1);

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

    /// Once told to end, say for so long that it is not ready, and go on: whoever shares requests among several servers learns of it first
    #[arg(long, env = "COMMERCE_DRAIN", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub drain: Duration,

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
    /// [`Failure::Usage`] for an open shop on an address that is not loopback, for a deadline that is none, and for a drain of more than a minute.
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
        if self.drain > DRAIN_MAX {
            return Err(Failure::Usage(format!("--drain must be {DRAIN_MAX:?} at most")));
        }
        Ok(())
    }
}

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Takes what the client library has to tell: into the log, and the last error for who asks why something cannot be had.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    last_error: Arc<Mutex<Option<(Instant, String)>>>,
}

/// How long ago the reason for what goes wrong now may have been told.
const RECENTLY: Duration = Duration::from_secs(15);

impl Told {
    /// Why something goes wrong now: what was told of it, or else the error itself, which knows less.
    pub(super) fn reason(&self, error: &impl ToString) -> String {
        let told = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        told.filter(|(at, _)| at.elapsed() < RECENTLY).map_or_else(|| error.to_string(), |(_, reason)| reason)
    }
}

impl ClientContext for Told {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        use RDKafkaLogLevel::{Alert, Critical, Emerg, Error, Warning};
        // That a property concerns another kind of client is no news: all kinds are given the same ones.
        let news = facility != "CONFWARN";
        match level {
            Emerg | Alert | Critical | Error | Warning if news => tracing::warn!(target: "commerce::kafka", facility, "{message}"),
            _ => tracing::debug!(target: "commerce::kafka", facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let reason = if reason.is_empty() { error.to_string() } else { reason.to_owned() };
        tracing::debug!(target: "commerce::kafka", %error, reason, "the client library met an error");
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        // That all brokers are down is said after why the last of them is.
        if last.is_none() || error != KafkaError::Global(RDKafkaErrorCode::AllBrokersDown) {
            *last = Some((Instant::now(), reason));
        }
    }

    fn stats_raw(&self, _: &[u8]) {}
}

impl ConsumerContext for Told {}

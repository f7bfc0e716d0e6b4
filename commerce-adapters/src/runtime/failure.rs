use super::remark;
use std::io::Write;
use std::process::ExitCode;

/// Why a program ends without having done its work: one sentence for standard error, and an exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It ran, and the answer is bad: exit code 1.
    #[error("{0}")]
    Bad(String),
    /// It was called with a wrong option or configuration: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Something it needs is not there: exit code 3.
    #[error("{0}")]
    Missing(String),
}

impl Failure {
    /// The exit code of this failure.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Bad(_) => 1,
            Self::Usage(_) => 2,
            Self::Missing(_) => 3,
        }
    }

    /// Ends a program: says what was wrong on standard error, if anything was.
    pub async fn exit(outcome: Result<(), Self>) -> ExitCode {
        let code = outcome.map_or_else(
            |failure| {
                remark(format_args!("error: {failure}"));
                failure.code()
            },
            |()| 0,
        );
        if !clients_ended().await {
            end_now(code.into());
        }
        ExitCode::from(code)
    }

    /// Says that something is not there, with the errors that led to it.
    pub fn missing(what: impl std::fmt::Display, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut sentence = what.to_string();
        for cause in std::iter::successors(Some(error), |error| error.source()) {
            let cause = cause.to_string();
            if !sentence.contains(&cause) {
                sentence.push_str(": ");
                sentence.push_str(&cause);
            }
        }
        Self::Missing(sentence)
    }
}

/// Ends the process where it stands, and takes nothing apart that a thread may still be using.
pub(super) fn end_now(code: i32) -> ! {
    let _nobody_reads_it = std::io::stdout().flush();
    signal_hook::low_level::exit(code)
}

/// Waits a moment for Kafka clients to say good-bye, and answers whether they have: brokers that do not answer keep nobody, and who is told to end
/// again does not wait.
#[cfg(feature = "kafka")]
async fn clients_ended() -> bool {
    const SO_LONG: std::time::Duration = std::time::Duration::from_secs(3);
    let Ok(mut signals) = super::Signals::listen() else { return false };
    tokio::select! {
        ended = tokio::time::timeout(SO_LONG, crate::kafka::clients_ended()) => ended.is_ok(),
        () = signals.next() => false,
    }
}

/// There are none.
#[cfg(not(feature = "kafka"))]
fn clients_ended() -> std::future::Ready<bool> {
    std::future::ready(true)
}

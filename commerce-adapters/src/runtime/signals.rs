use super::{Failure, end_now};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT: the first asks a program to end gracefully, the second to end at once.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen for signals instead of dying from them.
    ///
    /// # Errors
    /// [`Failure::Missing`] if the system refuses.
    pub fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::missing("cannot listen for signals", &error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Awaits a start, and answers what it came to. A signal breaks it off: nobody has been promised anything yet.
    ///
    /// # Errors
    /// Those of the start.
    pub async fn unless_ended<T>(&mut self, start: impl Future<Output = Result<T, Failure>>) -> Result<Option<T>, Failure> {
        tokio::select! {
            started = start => started.map(Some),
            () = self.next() => {
                tracing::info!("ending before everything has begun");
                Ok(None)
            }
        }
    }

    /// Awaits an orderly end, for so long at most; another signal ends it at once.
    ///
    /// # Errors
    /// What the end came to; [`Failure::Missing`] if it took too long.
    pub async fn end_within(&mut self, deadline: Duration, ended: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        tokio::select! {
            ended = tokio::time::timeout(deadline, ended) => {
                ended.unwrap_or_else(|_| Err(Failure::Missing("the shutdown took too long: what was acknowledged is kept".into())))
            }
            () = self.next() => {
                tracing::warn!("a second signal: ending at once");
                // Nothing is waited for any more, and what was acknowledged is kept.
                end_now(0)
            }
        }
    }
}

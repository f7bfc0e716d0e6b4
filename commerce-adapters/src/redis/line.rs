use super::dialler::Dialler;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// One connection to the server that takes writes, shared by everybody, and made anew once it is lost.
///
/// The driver's own connection manager makes one anew that was closed. This one does so also when an answer is overdue and when the server has
/// become a replica, and asks the sentinels each time, if there are any, where the master is now.
pub(super) struct Line {
    dialler: Arc<Dialler>,
    state: Mutex<State>,
}

struct State {
    /// Which connection it is: of many callers that lose the same one, the first has a new one made.
    number: u64,
    connection: Dialling,
}

/// A connection that was made or is being made: everybody awaits the same.
type Dialling = Shared<BoxFuture<'static, RedisResult<MultiplexedConnection>>>;

impl Line {
    pub(super) fn new(dialler: Arc<Dialler>) -> Self {
        let state = Mutex::new(State { number: 0, connection: dial(&dialler) });
        Self { dialler, state }
    }

    /// Sends a command, and has the connection made anew if it fails for a reason of the connection.
    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let (number, connection) = self.current();
        let outcome = match connection.await {
            Ok(mut connection) => command.query_async(&mut connection).await,
            Err(error) => Err(error),
        };
        if outcome.as_ref().is_err_and(is_of_the_connection) {
            self.hang_up(number);
        }
        outcome
    }

    fn current(&self) -> (u64, Dialling) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.number, state.connection.clone())
    }

    fn hang_up(&self, number: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.number == number {
            *state = State { number: number + 1, connection: dial(&self.dialler) };
        }
    }
}

fn dial(dialler: &Arc<Dialler>) -> Dialling {
    let dialler = Arc::clone(dialler);
    async move { dialler.line().await }.boxed().shared()
}

/// Whether another connection may do better.
fn is_of_the_connection(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    match error.kind() {
        // What cannot be read leaves a connection out of step; a server that refuses the login may not do so after it was restarted; sentinels that name
        // no master may do so after a failover.
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed | ErrorKind::MasterNameNotFoundBySentinel => true,
        ErrorKind::Server(kind) => matches!(kind, ReadOnly | BusyLoading | MasterDown),
        _ => false,
    }
}

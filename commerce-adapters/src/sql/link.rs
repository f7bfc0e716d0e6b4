use super::Backend;
use async_trait::async_trait;
use commerce_core::store::StoreError;
use sqlx::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// A connection that is lent out, on which statements run one after the other.
///
/// A caller that stops waiting leaves a statement under way, and what is read from the connection next may be the rest of its answer. Over a
/// driver that does not sort this out itself, an implementation MUST NOT let the connection be used again then.
pub(crate) trait Link<DB: Backend>: Send {
    /// The connection, for a statement that begins.
    fn start(&mut self) -> Result<&mut DB::Connection, StoreError>;

    /// Notes that the answer to the statement was read to its end.
    fn end(&mut self);

    /// How long a statement may take; `None` if nothing but the statement itself can keep it.
    fn patience(&self) -> Option<Duration>;
}

/// Who lends connections to readers.
#[async_trait]
pub(crate) trait Lender<DB: Backend>: Send + Sync + 'static {
    /// Lends a connection; dropping it gives it back.
    async fn lend(&self) -> Result<Box<dyn Link<DB>>, StoreError>;

    /// Closes the connections once nobody reads any more.
    async fn close(&self);
}

/// Awaits the answer to a statement.
pub(crate) async fn answer<T>(patience: Option<Duration>, statement: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let Some(patience) = patience else { return statement.await };
    let late = |elapsed| Error::Io(std::io::Error::new(ErrorKind::TimedOut, elapsed));
    tokio::time::timeout(patience, statement).await.map_err(late).flatten()
}

/// Ends a statement that was answered, be it by an error. Whatever else went wrong leaves it under way.
pub(crate) fn settle<DB: Backend, T>(link: &mut dyn Link<DB>, answer: Result<T, Error>) -> Result<T, StoreError> {
    if matches!(answer, Ok(_) | Err(Error::Database(_))) {
        link.end();
    }
    answer.map_err(DB::error)
}

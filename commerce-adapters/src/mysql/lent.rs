use super::connections::Losses;
use super::error::{commit_error, store_error};
use crate::sql::{Link, answer, settle};
use commerce_core::store::StoreError;
use sqlx::mysql::MySqlConnection;
use sqlx::pool::PoolConnection;
use sqlx::{Executor, MySql};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a statement may take: longer than it may wait for a lock. A server that is silent for longer is taken for lost.
const STATEMENT_MAX: Duration = Duration::from_secs(10);

/// A connection of the pool while somebody has it.
///
/// It goes back only if that leaves no trace. The driver does not cope with a caller that stops waiting: the rest of the answer would be read as
/// the answer to somebody else's statement, and a transaction that was begun unnoticed would swallow what others believe to be committed. So a
/// connection with a statement under way is closed, and one in a transaction is rolled back first.
pub(crate) struct Lent {
    /// Taken when it is dropped, and not before.
    connection: Option<PoolConnection<MySql>>,
    losses: Losses,
    under_way: bool,
    in_transaction: bool,
    patience: Duration,
    /// Whether the session is told what others do not expect: it is closed in the end.
    is_set_apart: bool,
}

impl Lent {
    pub(super) fn new(connection: PoolConnection<MySql>, losses: Losses) -> Self {
        Self { connection: Some(connection), losses, under_way: false, in_transaction: false, patience: STATEMENT_MAX, is_set_apart: false }
    }

    /// The same connection for somebody with settings of their own, whose statements may take so long.
    pub(super) fn set_apart(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self.is_set_apart = true;
        self
    }

    /// Begins a transaction by a statement that has no parameters.
    pub(super) async fn begin(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.in_transaction = true;
        let begun = answer(self.patience(), self.start()?.execute(statement)).await;
        settle(self, begun).map(drop)
    }

    /// Commits the transaction.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let result = answer(self.patience(), self.start()?.execute("COMMIT")).await;
        if result.is_ok() {
            self.in_transaction = false;
            self.end();
        }
        result.map(drop).map_err(commit_error)
    }
}

impl Link<MySql> for Lent {
    fn start(&mut self) -> Result<&mut MySqlConnection, StoreError> {
        if self.under_way {
            return Err(StoreError::Unavailable("the connection was given up in the middle of a statement".into()));
        }
        self.under_way = true;
        let connection = self.connection.as_mut().ok_or_else(|| store_error(sqlx::Error::PoolClosed))?;
        Ok(connection)
    }

    fn end(&mut self) {
        self.under_way = false;
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.patience)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            // Nothing can be said to the server any more. It rolls back when it sees that the connection is gone.
            drop(connection.detach());
            return;
        };
        if self.under_way {
            self.losses.note();
            connection.close_on_drop();
        } else if self.is_set_apart {
            connection.close_on_drop();
        } else if self.in_transaction {
            runtime.spawn(roll_back(connection, self.losses.clone()));
        }
    }
}

async fn roll_back(mut connection: PoolConnection<MySql>, losses: Losses) {
    if let Err(error) = answer(Some(STATEMENT_MAX), connection.execute("ROLLBACK")).await {
        tracing::warn!(%error, "cannot roll back, closing the connection");
        losses.note();
        connection.close_on_drop();
    }
}

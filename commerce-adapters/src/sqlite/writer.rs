use super::error::{commit_error, store_error};
use commerce_core::store::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

/// The only connection that writes.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    connection: SqliteConnection,
    /// Whether the connection may be in a transaction: whoever began it may have been cancelled at any point.
    open: bool,
}

impl Writer {
    pub(super) async fn connect(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let connection = options.connect().await.map_err(store_error)?;
        Ok(Self { options, connection, open: false })
    }

    /// The connection, to be used in a transaction or for single statements.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Begins a transaction that holds the right to write from the start.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.settle().await?;
        self.open = true;
        let begun = self.connection.execute("BEGIN IMMEDIATE").await;
        self.open = begun.is_ok();
        begun.map(drop).map_err(store_error)
    }

    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute("COMMIT").await.map_err(commit_error)?;
        self.open = false;
        Ok(())
    }

    /// Ends a transaction that was left behind. A connection that cannot do even that is replaced.
    pub(super) async fn settle(&mut self) -> Result<(), StoreError> {
        if self.open && self.connection.execute("ROLLBACK").await.is_err() {
            let fresh = self.options.connect().await.map_err(store_error)?;
            let old = std::mem::replace(&mut self.connection, fresh);
            // Closed before anybody writes, so that the lock it may hold is gone.
            let _ = old.close().await;
        }
        self.open = false;
        Ok(())
    }
}

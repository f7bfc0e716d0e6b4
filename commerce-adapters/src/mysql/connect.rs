use super::MysqlOptions;
use super::error::store_error;
use commerce_core::store::StoreError;
use sqlx::mysql::{MySqlConnection, MySqlPoolOptions};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::{ConnectOptions, Connection, Error, Executor, MySql, Pool};
use std::time::Duration;

/// What a session is told when it begins, whatever the server's own settings are. The levels of strictness are MySQL's defaults: nothing is cut
/// or rounded to fit. A lock is waited for less long than a statement is.
const SETTINGS: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SET SESSION autocommit = 1, innodb_lock_wait_timeout = 5, sql_mode = \
     'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// How long somebody waits for a connection, be it that all are in use or that the server does not answer.
const ACQUIRE_MAX: Duration = Duration::from_secs(3);
/// A connection that nobody used for this long is tried before it is lent out.
const IDLE_UNTRIED_MAX: Duration = Duration::from_secs(1);
/// How long that may take.
const TRY_MAX: Duration = Duration::from_secs(1);

/// Connects for work that nobody cancels and that may take its time.
pub(super) async fn connect(options: &MysqlOptions) -> Result<MySqlConnection, Error> {
    let mut connection = options.driver().connect().await?;
    connection.execute(SETTINGS).await?;
    Ok(connection)
}

/// The connections of a process, of which none is made yet.
pub(super) fn pool(options: &MysqlOptions) -> Pool<MySql> {
    MySqlPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(ACQUIRE_MAX)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SETTINGS).await.map(drop) }))
        .before_acquire(|connection, meta| Box::pin(is_alive(connection, meta)))
        .connect_lazy_with(options.driver())
}

/// A connection that was in use just now is not asked: that would cost each unit of work and each read a round trip.
async fn is_alive(connection: &mut MySqlConnection, meta: PoolConnectionMetadata) -> Result<bool, Error> {
    if meta.idle_for < IDLE_UNTRIED_MAX {
        return Ok(true);
    }
    tokio::time::timeout(TRY_MAX, connection.ping()).await.map_or_else(|_late| Err(Error::PoolTimedOut), |answer| answer.map(|()| true))
}

/// Closes a connection whose work is done.
pub(super) async fn close(connection: MySqlConnection) -> Result<(), StoreError> {
    connection.close().await.map_err(store_error)
}

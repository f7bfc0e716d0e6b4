use super::MysqlOptions;
use super::error::store_error;
use super::lent::Lent;
use crate::sql::{Lender, Link};
use async_trait::async_trait;
use commerce_core::store::StoreError;
use sqlx::mysql::{MySqlConnection, MySqlPoolOptions};
use sqlx::{ConnectOptions, Connection, Error, Executor, MySql, Pool};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a session is told when it begins, whatever the server's own settings are. The levels of strictness are MySQL's defaults: nothing is cut
/// or rounded to fit. A lock is waited for less long than a statement is.
///
/// The server waits for the next statement of a transaction no longer than a process waits for an answer: then it ends the connection and rolls back.
/// So nobody waits for long for what a process has locked that stands still, or whose machine is gone without a word, which the server would not notice
/// for hours. MySQL, which alone reads what begins with `/*!80000`, can only be told to wait no longer for any statement. MariaDB, for which `/*M!` is,
/// would log a warning then for each connection that rests.
const SETTINGS: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
     SET SESSION autocommit = 1, innodb_lock_wait_timeout = 5, \
     /*!80000 wait_timeout = 10, */ /*M! idle_transaction_timeout = 10, */ sql_mode = \
     'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// How long somebody waits for a connection, be it that all are in use or that the server does not answer.
const ACQUIRE_MAX: Duration = Duration::from_secs(3);
/// A connection that nobody used for this long is replaced, for MySQL is about to end it, and so is one of this age. The pool is not told: it
/// would count the rest of a connection anew each time it looks.
const REST_MAX: Duration = Duration::from_secs(8);
const AGE_MAX: Duration = Duration::from_mins(30);
/// A connection that nobody used for this long is tried before it is lent out.
const UNTRIED_MAX: Duration = Duration::from_secs(1);
/// How long that may take.
const TRY_MAX: Duration = Duration::from_secs(1);

/// Connects for work that nobody cancels and that may take its time.
pub(super) async fn connect(options: &MysqlOptions) -> Result<MySqlConnection, Error> {
    let mut connection = options.driver().connect().await?;
    connection.execute(SETTINGS).await?;
    Ok(connection)
}

/// The connections of a process. Clones share them.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool<MySql>,
    losses: Losses,
}

impl Connections {
    /// None is made yet.
    pub(super) fn new(options: &MysqlOptions) -> Self {
        let losses = Losses::default();
        let known = losses.clone();
        let pool = MySqlPoolOptions::new()
            .max_connections(options.connections_max)
            .acquire_timeout(ACQUIRE_MAX)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(async move { connection.execute(SETTINGS).await.map(drop) }))
            .before_acquire(move |connection, meta| {
                let lasts = meta.idle_for < REST_MAX && meta.age < AGE_MAX;
                let doubtful = known.may_concern(meta.idle_for);
                Box::pin(async move { Ok(lasts && is_alive(connection, doubtful).await?) })
            })
            .connect_lazy_with(options.driver());
        Self { pool, losses }
    }

    /// Lends a connection.
    pub(super) async fn lend(&self) -> Result<Lent, StoreError> {
        let connection = self.pool.acquire().await.map_err(store_error)?;
        Ok(Lent::new(connection, self.losses.clone()))
    }
}

#[async_trait]
impl Lender<MySql> for Connections {
    async fn lend(&self) -> Result<Box<dyn Link<MySql>>, StoreError> {
        Ok(Box::new(Self::lend(self).await?))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

/// Tries a connection if there is a reason to. One that was in use just now is not asked: that would cost each unit of work and each read a round
/// trip.
async fn is_alive(connection: &mut MySqlConnection, doubtful: bool) -> Result<bool, Error> {
    if !doubtful {
        return Ok(true);
    }
    tokio::time::timeout(TRY_MAX, connection.ping()).await.map_or_else(|_late| Err(Error::PoolTimedOut), |answer| answer.map(|()| true))
}

/// When a connection was lost last. Those that nobody has used since may be lost as well: a server that ends takes all with it.
#[derive(Clone, Default)]
pub(super) struct Losses(Arc<Mutex<Option<Instant>>>);

impl Losses {
    /// Notes that a connection is lost now.
    pub(super) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection is in doubt that was idle for so long.
    fn may_concern(&self, idle_for: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle_for >= last.map_or(UNTRIED_MAX, |last| last.elapsed().min(UNTRIED_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_were_idle_when_one_was_lost_are_tried() {
        let losses = Losses::default();
        assert!(!losses.may_concern(Duration::from_millis(900)));
        assert!(losses.may_concern(UNTRIED_MAX));
        losses.note();
        assert!(losses.may_concern(Duration::from_millis(900)));
        assert!(!losses.may_concern(Duration::ZERO));
    }
}

use super::names::on_the_server;
use super::{Answer, locked};
use crate::mysql::MysqlOptions;
use crate::mysql::connections::connect;
use commerce_core::lock::LockError;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Error, Executor, MySql, QueryBuilder, Row};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

/// Connections that are kept for the next locks.
const IDLE_MAX: usize = 4;
/// How long they are kept.
const IDLE_FOR_MAX: Duration = Duration::from_mins(1);
/// How many names a statement has at most.
const NAMES_MAX: usize = 256;
/// How long a statement may take; a fence may have to wait for a unit of work that shows the one before.
const STATEMENT_MAX: Duration = Duration::from_secs(10);

/// Connections that hold nothing.
#[derive(Clone, Default)]
pub(super) struct Idle(Arc<Mutex<Vec<Session>>>);

impl Idle {
    fn take(&self) -> Option<Session> {
        locked(&self.0).pop()
    }

    fn put(&self, session: Session) {
        let mut idle = locked(&self.0);
        if idle.len() < IDLE_MAX {
            idle.push(session);
        }
    }
}

/// What a session is asked for.
pub(super) enum Call {
    /// To hold its locks for another lease.
    Renew { tokens: Vec<u64>, lease: Duration, reply: oneshot::Sender<Answer> },
    /// To let some of its locks go.
    Release { tokens: Vec<u64>, reply: oneshot::Sender<Answer> },
}

/// A connection that holds locks. Dropping it ends the connection, and with it whatever it holds.
pub(super) struct Session {
    connection: MySqlConnection,
    database: String,
    /// How long the server waits to hear of it.
    patience: Duration,
}

fn lock_error(error: Error) -> LockError {
    LockError(error.into())
}

impl Session {
    /// Takes all of these locks, and counts their fences; `None` if one of them is held.
    pub(super) async fn open(
        options: &MysqlOptions,
        idle: &Idle,
        names: &[&str],
        lease: Duration,
    ) -> Result<Option<(Self, Vec<u64>)>, LockError> {
        while let Some(session) = idle.take() {
            // The server ends connections that were idle for long.
            if let Ok(outcome) = session.take_all(names, lease, idle).await {
                return Ok(outcome);
            }
        }
        let connection = within(connect(options)).await.map_err(lock_error)?;
        let session = Self { connection, database: options.database().to_owned(), patience: Duration::ZERO };
        session.take_all(names, lease, idle).await.map_err(lock_error)
    }

    async fn take_all(mut self, names: &[&str], lease: Duration, idle: &Idle) -> Result<Option<(Self, Vec<u64>)>, Error> {
        self.be_heard_of_within(lease).await?;
        for piece in names.chunks(NAMES_MAX) {
            let taken = self.ask("GET_LOCK", ", 0", piece).await?;
            if !taken.iter().all(|taken| *taken == Some(1)) {
                self.run("DO RELEASE_ALL_LOCKS()".to_owned()).await?;
                idle.put(self);
                return Ok(None);
            }
        }
        let mut fences = Vec::with_capacity(names.len());
        for piece in names.chunks(NAMES_MAX) {
            fences.append(&mut self.count_fences(piece).await?);
        }
        Ok(Some((self, fences)))
    }

    /// Holds the locks until all of them are let go or the lease ends; answers the tokens of all there were.
    pub(super) async fn hold(
        mut self,
        mut locks: HashMap<u64, String>,
        lease: Duration,
        mut calls: mpsc::Receiver<Call>,
        idle: &Idle,
    ) -> Vec<u64> {
        let tokens = locks.keys().copied().collect();
        let mut until = Instant::now() + lease;
        while !locks.is_empty() {
            let call = tokio::select! {
                biased;
                () = sleep_until(until) => return tokens,
                call = calls.recv() => call,
            };
            match call {
                None => return tokens,
                Some(Call::Renew { tokens: renewed, lease, reply }) => {
                    let held = renewed.iter().all(|token| locks.contains_key(token));
                    // Whatever runs on the connection shows that it is there, and so are its locks.
                    if held && self.be_heard_of(lease).await.is_err() {
                        return tokens;
                    }
                    until = if held { Instant::now() + lease } else { until };
                    let _gone = reply.send(Ok(held));
                }
                Some(Call::Release { tokens: released, reply }) => {
                    let names: Vec<String> = released.iter().filter_map(|token| locks.remove(token)).collect();
                    let outcome = self.let_go(&names).await;
                    let broken = outcome.is_err();
                    let _gone = reply.send(outcome.map(|()| names.len() == released.len()).map_err(lock_error));
                    if broken {
                        return tokens;
                    }
                }
            }
        }
        if self.be_heard_of_within(IDLE_FOR_MAX).await.is_ok() {
            idle.put(self);
        }
        tokens
    }

    async fn let_go(&mut self, names: &[String]) -> Result<(), Error> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for piece in names.chunks(NAMES_MAX) {
            self.ask("RELEASE_LOCK", "", piece).await?;
        }
        Ok(())
    }

    /// Has the server end the connection if it hears nothing for this long, in whole seconds, from now on.
    async fn be_heard_of(&mut self, lease: Duration) -> Result<(), Error> {
        let seconds = lease.as_secs() + u64::from(lease.subsec_nanos() > 0);
        self.patience = lease;
        self.run(format!("SET SESSION wait_timeout = {}", seconds.max(1))).await
    }

    /// The same, if the server was not told before.
    async fn be_heard_of_within(&mut self, lease: Duration) -> Result<(), Error> {
        if self.patience == lease { Ok(()) } else { self.be_heard_of(lease).await }
    }

    /// Calls a function of the server for each name.
    async fn ask(&mut self, function: &str, more: &str, names: &[&str]) -> Result<Vec<Option<i64>>, Error> {
        let calls: Vec<_> = names.iter().map(|name| format!("{function}('{}'{more})", on_the_server(&self.database, name))).collect();
        let statement = AssertSqlSafe(format!("SELECT {}", calls.join(", ")));
        let row: MySqlRow = within(self.connection.fetch_one(statement)).await?;
        (0..names.len()).map(|at| row.try_get(at)).collect()
    }

    async fn run(&mut self, statement: String) -> Result<(), Error> {
        within(self.connection.execute(AssertSqlSafe(statement))).await.map(drop)
    }

    /// Counts a grant of each lock in the store; answers the fences.
    async fn count_fences(&mut self, names: &[&str]) -> Result<Vec<u64>, Error> {
        let mut count = QueryBuilder::<MySql>::new("INSERT INTO fences (lock_name, number) ");
        count.push_values(names, |mut row, name| {
            row.push_bind(name.as_bytes()).push("1");
        });
        count.push(" ON DUPLICATE KEY UPDATE number = number + 1");
        within(count.build().execute(&mut self.connection)).await?;
        let mut look = QueryBuilder::<MySql>::new("SELECT lock_name, number FROM fences WHERE lock_name IN (");
        let mut list = look.separated(", ");
        for name in names {
            list.push_bind(name.as_bytes());
        }
        look.push(")");
        let rows = within(look.build().fetch_all(&mut self.connection)).await?;
        let fence = |row: &MySqlRow| Ok((row.try_get::<Vec<u8>, _>(0)?, row.try_get::<i64, _>(1)?));
        let fences: HashMap<Vec<u8>, i64> = rows.iter().map(fence).collect::<Result<_, Error>>()?;
        Ok(names.iter().map(|name| fences.get(name.as_bytes()).map_or(0, |fence| fence.unsigned_abs())).collect())
    }
}

async fn within<T>(statement: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = |elapsed| Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed));
    timeout(STATEMENT_MAX, statement).await.map_err(late).flatten()
}

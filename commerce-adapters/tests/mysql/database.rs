use crate::Test;
use commerce_adapters::mysql::{MysqlOptions, MysqlStore};
use futures_util::FutureExt;
use libtest_mimic::Failed;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A test that takes longer hangs.
const TEST_MAX: Duration = Duration::from_mins(3);

/// A kind of server.
#[derive(Clone, Copy)]
pub(crate) enum Server {
    Mysql,
    Mariadb,
}

impl Server {
    pub(crate) const ALL: [Self; 2] = [Self::Mysql, Self::Mariadb];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        }
    }

    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::Mysql => "COMMERCE_TEST_MYSQL",
            Self::Mariadb => "COMMERCE_TEST_MARIADB",
        }
    }

    /// Where it is, if somebody says.
    pub(crate) fn address(self) -> Option<String> {
        std::env::var(self.variable()).ok().filter(|address| !address.is_empty())
    }
}

/// A database of a test's own.
#[derive(Clone)]
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    fn new(server: &str) -> Self {
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("commerce_test_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        Self { server: server.trim_end_matches('/').to_owned(), name }
    }

    /// Runs a test on another new database of the same server, and drops it afterwards.
    pub(crate) async fn beside(&self, test: impl AsyncFnOnce(&Self)) {
        let other = Self::new(&self.server);
        MysqlStore::migrate(&other.options(), |_, _| {}).await.unwrap();
        let outcome = AssertUnwindSafe(test(&other)).catch_unwind().await;
        other.execute(&format!("DROP DATABASE {}", other.name)).await;
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    /// Runs a test on a new database with the program's schema, and drops it afterwards.
    pub(crate) fn with(server: &str, test: Test) -> Result<(), Failed> {
        let database = Self::new(server);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let outcome = runtime.block_on(async {
            MysqlStore::migrate(&database.options(), |_, _| {}).await.map_err(|error| format!("{error:?}"))?;
            let test = tokio::time::timeout(TEST_MAX, test(database.clone()));
            let outcome = AssertUnwindSafe(test).catch_unwind().await;
            database.on_server(&format!("DROP DATABASE IF EXISTS {}", database.name)).await;
            Ok::<_, Failed>(outcome)
        })?;
        let in_time = outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        in_time.map_err(|_late| Failed::from("it hangs"))
    }

    /// The address of the database.
    pub(crate) fn address(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn options(&self) -> MysqlOptions {
        MysqlOptions::parse(&self.address()).unwrap()
    }

    /// The options of a process with so many connections at most.
    pub(crate) fn options_with(&self, connections_max: u32) -> MysqlOptions {
        let mut options = self.options();
        options.connections_max = connections_max;
        options
    }

    pub(crate) async fn store(&self) -> MysqlStore {
        MysqlStore::connect(&self.options()).await.unwrap()
    }

    /// A store that knows nothing, after everything was deleted.
    pub(crate) async fn emptied(&self) -> MysqlStore {
        let deletions = self.tables().await.iter().map(|table| format!("DELETE FROM {table};")).collect::<Vec<_>>().concat();
        self.execute(&deletions).await;
        self.store().await
    }

    /// A connection that nobody else uses.
    pub(crate) async fn connection(&self) -> MySqlConnection {
        MySqlConnectOptions::from_str(&self.address()).unwrap().connect().await.unwrap()
    }

    /// Ends every other connection to the database, and with them what they hold.
    pub(crate) async fn hang_up_all(&self) {
        let mut connection = self.connection().await;
        while kill_others(&mut connection).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs a statement.
    pub(crate) async fn execute(&self, statement: &str) {
        self.connection().await.execute(AssertSqlSafe(statement)).await.unwrap();
    }

    /// Runs a statement outside of the database, which may not exist.
    pub(crate) async fn on_server(&self, statement: &str) {
        let mut connection = MySqlConnectOptions::from_str(&self.server).unwrap().connect().await.unwrap();
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }

    /// The names of the tables that hold the shop's data.
    pub(crate) async fn tables(&self) -> Vec<String> {
        let tables = "SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables WHERE table_schema = DATABASE()";
        let mut tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut self.connection().await).await.unwrap();
        tables.retain(|table| table != "_sqlx_migrations");
        tables
    }
}

/// The other connections to the database, those that are ending among them. MySQL tells them by their threads: it leaves one that is cut out of its list
/// of processes while it still holds what it held, and fails to show that list when anybody runs a statement with bytes in it that are no text. MariaDB
/// has no list of threads unless it is told to.
const OTHERS: &str = "/*!80000 SELECT CAST(processlist_id AS SIGNED) FROM performance_schema.threads \
     WHERE processlist_db = DATABASE() AND processlist_id <> CONNECTION_ID() */ \
     /*M! SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() */";

/// Ends all other connections to the database of this one, as an operator would; answers how many there were.
pub(crate) async fn kill_others(connection: &mut MySqlConnection) -> usize {
    let others: Vec<i64> = sqlx::query_scalar(OTHERS).fetch_all(&mut *connection).await.unwrap();
    for other in &others {
        // It may have gone by itself.
        let _gone = connection.execute(AssertSqlSafe(format!("KILL {other}"))).await;
    }
    others.len()
}

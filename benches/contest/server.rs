//! Databases and keys of a bench's own on servers that others use, too.

use super::place::Place;
use super::raw::RawMysql;
use commerce_adapters::mysql::{MysqlLocks, MysqlOptions, MysqlStore};
use commerce_adapters::redis::{Redis, RedisOptions};
use redis::{Client, Connection, cmd};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::str::FromStr;
use std::sync::Arc;

/// A kind of server that may be given, and the variable that tells its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Mysql,
    Mariadb,
    Redis,
}

impl Server {
    /// Those that have a store.
    pub(crate) const DATABASES: [Self; 2] = [Self::Mysql, Self::Mariadb];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Redis => "Redis",
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Mysql => "COMMERCE_TEST_MYSQL",
            Self::Mariadb => "COMMERCE_TEST_MARIADB",
            Self::Redis => "COMMERCE_TEST_REDIS",
        }
    }

    /// Where it is.
    ///
    /// # Errors
    /// Says that nobody says.
    pub(crate) fn address(self) -> Result<String, String> {
        let (name, variable) = (self.name(), self.variable());
        let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
        address.ok_or_else(|| format!("{name}, because {variable} does not tell an address"))
    }
}

/// A database of a bench's own.
pub(super) struct Database {
    server: String,
    name: String,
    store: MysqlStore,
    raw: Arc<RawMysql>,
}

impl Database {
    /// Makes a new database, with the program's schema.
    pub(crate) async fn place(server: Server, address: &str, connections_max: u32) -> Place {
        let (server_address, name) = (address.trim_end_matches('/'), format!("commerce_bench_{}", std::process::id()));
        let address = format!("{server_address}/{name}");
        let mut options = MysqlOptions::parse(&address).expect("an address such as mysql://root@127.0.0.1:3306");
        options.connections_max = connections_max;
        MysqlStore::migrate(&options, |_, _| {}).await.expect("a new database");
        let store = MysqlStore::connect(&options).await.expect("a store in the new database");
        let raw = Arc::new(RawMysql::open(&address).await.expect("tables in the new database"));
        let version = raw.version().await.expect("a version");
        let locks = Arc::new(MysqlLocks::new(options));
        let database = Self { server: server_address.to_owned(), name, store: store.clone(), raw: Arc::clone(&raw) };
        Place::on_server(format!("{} {version}", server.name()), Arc::new(store), locks, raw, database)
    }

    pub(crate) async fn drop_it(self) {
        self.store.close().await;
        self.raw.close().await;
        let mut connection = MySqlConnectOptions::from_str(&self.server).expect("the address").connect().await.expect("the server");
        connection.execute(AssertSqlSafe(format!("DROP DATABASE {}", self.name))).await.expect("the database is there");
    }
}

impl Place {
    /// A new database on a server, reached over as many connections as the store has by default.
    pub(crate) async fn database(server: Server, address: &str) -> Self {
        Database::place(server, address, 12).await
    }
}

/// Keys of a bench's own in Redis, which are deleted with this.
pub(crate) struct Keys {
    /// What it is, such as `Redis 7.0.15`.
    pub(crate) name: String,
    pub(crate) redis: Redis,
    prefix: String,
    connection: Connection,
}

impl Keys {
    pub(crate) async fn on(address: &str) -> Self {
        let prefix = format!("commerce-bench-{}:", std::process::id());
        let options: RedisOptions = address.parse().expect("an address such as redis://127.0.0.1:6379");
        let redis = Redis::connect(&options.with_prefix(prefix.clone()).expect("a prefix")).await.expect("Redis answers");
        let mut connection = Client::open(address).and_then(|client| client.get_connection()).expect("Redis answers");
        let info: String = cmd("INFO").arg("server").query(&mut connection).expect("Redis answers");
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or("?");
        Self { name: format!("Redis {version}"), redis, prefix, connection }
    }

    /// Whether what Redis holds is synced to the disk, and when.
    pub(crate) fn durability(&mut self) -> String {
        let setting = |connection: &mut Connection, name: &str| {
            let answer: Vec<String> = cmd("CONFIG").arg("GET").arg(name).query(connection).unwrap_or_default();
            answer.get(1).cloned().unwrap_or_else(|| "unknown".to_owned())
        };
        let (append, sync) = (setting(&mut self.connection, "appendonly"), setting(&mut self.connection, "appendfsync"));
        format!("{}: appendonly {append}, appendfsync {sync}", self.name)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let pattern = format!("{}*", self.prefix);
        let mut cursor = 0_u64;
        loop {
            let scan = cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1_000).query(&mut self.connection);
            let Ok((next, keys)): Result<(u64, Vec<Vec<u8>>), _> = scan else { return };
            if !keys.is_empty() {
                // What cannot be deleted expires.
                let _kept = cmd("UNLINK").arg(keys).exec(&mut self.connection);
            }
            if next == 0 {
                return;
            }
            cursor = next;
        }
    }
}

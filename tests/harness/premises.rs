//! Servers that tests share, and what one of them has there: a database, keys, topics and groups of its own.

use crate::harness::process::{scratch_directory, unconfigured};
use crate::place::ADMIN;
use commerce_core::messaging::{Group, Topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use redis::AsyncTypedCommands;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::path::{Path, PathBuf};
use std::process::id;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const MYSQL: &str = "COMMERCE_TEST_MYSQL";
const MARIADB: &str = "COMMERCE_TEST_MARIADB";
const REDIS: &str = "COMMERCE_TEST_REDIS";
const KAFKA: &str = "COMMERCE_TEST_KAFKA";
/// As many as there are consumers: each has one of every topic.
const PARTITIONS: u16 = 2;

/// Where the servers are.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) mysql: String,
    pub(crate) redis: String,
    pub(crate) kafka: String,
}

impl Addresses {
    /// Those that are given to the tests.
    pub(crate) fn given() -> Self {
        let [mysql, redis, kafka] = [MYSQL, REDIS, KAFKA].map(|variable| std::env::var(variable).unwrap_or_default());
        Self { mysql, redis, kafka }
    }

    /// The same, with MariaDB instead of MySQL.
    pub(crate) fn given_with_mariadb() -> Self {
        Self { mysql: std::env::var(MARIADB).unwrap_or_default(), ..Self::given() }
    }

    /// Which of [those](Self::given) are not given, in a sentence; `None` if all are.
    pub(crate) fn missing() -> Option<String> {
        Self::missing_of([MYSQL, REDIS, KAFKA])
    }

    /// Which of [those](Self::given_with_mariadb) are not given, in a sentence; `None` if all are.
    pub(crate) fn missing_with_mariadb() -> Option<String> {
        Self::missing_of([MARIADB, REDIS, KAFKA])
    }

    fn missing_of(variables: [&str; 3]) -> Option<String> {
        let missing: Vec<_> = variables.into_iter().filter(|variable| std::env::var(variable).unwrap_or_default().is_empty()).collect();
        match missing.as_slice() {
            [] => None,
            [one] => Some(format!("{one} is not given")),
            several => Some(format!("{} are not given", several.join(", "))),
        }
    }
}

/// What a shop has on the servers, until it is dropped.
pub(crate) struct Premises {
    name: String,
    directory: TempDir,
    servers: Addresses,
    /// Where the shop's processes are told that the servers are: proxies may be in between.
    pub(crate) told: Addresses,
}

impl Premises {
    /// An empty database with the schema of this version, and the topics.
    pub(crate) async fn open(servers: Addresses) -> Self {
        Self::open_in(scratch_directory(), servers, PARTITIONS).await
    }

    /// The same, with its files in this directory and so many partitions of every topic.
    pub(crate) async fn open_in(directory: TempDir, servers: Addresses, partitions: u16) -> Self {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        // Another run, on another machine, may use the same servers.
        let run = std::time::UNIX_EPOCH.elapsed().expect("it is later than 1970").subsec_nanos();
        let name = format!("shop_{}_{run}_{}", id(), OPENED.fetch_add(1, Ordering::Relaxed));
        let premises = Self { name, directory, told: servers.clone(), servers };
        std::fs::write(premises.token_key(), [b'k'; 32]).expect("a token key");
        let partitions = partitions.to_string();
        let topics = ["topics", "--partitions", &partitions];
        let (migrated, made) = futures_util::future::join(premises.admin(&["migrate"]), premises.admin(&topics)).await;
        migrated.and(made).unwrap_or_else(|said| panic!("{said}"));
        premises
    }

    async fn admin(&self, arguments: &[&str]) -> Result<(), String> {
        let output = unconfigured(ADMIN).args(self.arguments()).args(arguments).output().await.expect("commerce-admin can be run");
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What begins the names of all that is the shop's.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How a program is told to use them.
    pub(crate) fn arguments(&self) -> Vec<String> {
        self.arguments_at(&self.told)
    }

    /// The same, if it is to be told that the servers are elsewhere.
    pub(crate) fn arguments_at(&self, Addresses { mysql, redis, kafka }: &Addresses) -> Vec<String> {
        let store = format!("{mysql}/{}", self.name);
        ["--store", &store, "--redis", redis, "--kafka", kafka, "--namespace", &self.name].map(str::to_owned).to_vec()
    }

    /// A key for tokens that are good at every API server.
    pub(crate) fn token_key(&self) -> PathBuf {
        self.directory().join("token.key")
    }

    /// A connection to MySQL, in no database.
    async fn outside(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.servers.mysql).await.expect("MySQL is there")
    }

    /// A connection to the shop's database.
    pub(crate) async fn database(&self) -> MySqlConnection {
        MySqlConnection::connect(&format!("{}/{}", self.servers.mysql, self.name)).await.expect("the database is there")
    }

    /// A number that is stored.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        self.database().await.fetch_one(AssertSqlSafe(query)).await.expect("a row").get(0)
    }

    /// Makes a user who has to give this password, and may do everything in the database.
    pub(crate) async fn user(&self, password: &str) -> String {
        let (name, mut outside) = (format!("u{}", &self.name[5..]), self.outside().await);
        let make = format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'");
        outside.execute(AssertSqlSafe(make)).await.expect("a user");
        outside.execute(AssertSqlSafe(format!("GRANT ALL ON `{}`.* TO '{name}'@'%'", self.name))).await.expect("it is granted");
        name
    }

    /// Takes it back.
    pub(crate) async fn forget_user(&self, name: &str) {
        self.outside().await.execute(AssertSqlSafe(format!("DROP USER '{name}'@'%'"))).await.expect("the user is dropped");
    }

    /// Forgets everything that is in Redis.
    pub(crate) async fn forget_keys(&self) {
        let client = redis::Client::open(self.servers.redis.as_str()).expect("an address of Redis");
        let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
        let mut scan = connection.scan_match::<_, String>(format!("{}:*", self.name)).await.expect("its keys");
        let mut keys = Vec::new();
        while let Some(key) = scan.next_item().await {
            keys.push(key.expect("a key"));
        }
        drop(scan);
        for keys in keys.chunks(500) {
            connection.unlink(keys).await.expect("they are deleted");
        }
    }

    async fn leave(&self) {
        self.outside()
            .await
            .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {}", self.name)))
            .await
            .expect("the database is dropped");
        self.forget_keys().await;
        let kafka: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.servers.kafka).create().expect("an address of Kafka");
        let topics = Topic::ALL.into_iter().flat_map(|topic| [topic.name(), topic.dead_letter_name()]);
        let topics: Vec<_> = topics.map(|topic| format!("{}.{topic}", self.name)).collect();
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        kafka.delete_topics(&topics, &AdminOptions::new()).await.expect("the topics are deleted");
        let groups: Vec<_> = Group::ALL.into_iter().map(|group| format!("{}.{}", self.name, group.name())).collect();
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        // A group that nobody was in does not exist.
        let _gone = kafka.delete_groups(&groups, &AdminOptions::new()).await;
    }
}

impl Drop for Premises {
    /// Also after a test that failed; on a thread of its own, for the test's may be in the middle of something.
    fn drop(&mut self) {
        let leaving = std::thread::scope(|scope| {
            let leave = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(self.leave());
            };
            scope.spawn(leave).join()
        });
        if leaving.is_err() {
            eprintln!("something of {} is left behind on the servers", self.name);
        }
    }
}

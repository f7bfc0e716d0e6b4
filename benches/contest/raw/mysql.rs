use super::{Line, READ_LINES, ROWS, Raw, insert};
use async_trait::async_trait;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, Error, Executor};
use std::str::FromStr;

/// As many as the store has.
const CONNECTIONS_MAX: u32 = 12;

/// Tables of its own in the database of the shop.
pub(crate) struct RawMysql(MySqlPool);

impl RawMysql {
    pub(crate) async fn open(address: &str) -> Result<Self, Error> {
        let options = MySqlConnectOptions::from_str(address)?.pipes_as_concat(false).no_engine_substitution(false);
        let settings = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(async move { connection.execute(settings).await.map(drop) }))
            .connect_lazy_with(options);
        pool.execute("CREATE TABLE raw_rows (id BIGINT PRIMARY KEY, units BIGINT NOT NULL)").await?;
        let ledger = "CREATE TABLE raw_lines (id BIGINT AUTO_INCREMENT PRIMARY KEY, row_id BIGINT NOT NULL, delta BIGINT NOT NULL, \
             kind VARCHAR(16) NOT NULL)";
        pool.execute(ledger).await?;
        let rows: Vec<_> = (1..=ROWS).map(|id| format!("({id}, 1000000000)")).collect();
        pool.execute(AssertSqlSafe(format!("INSERT INTO raw_rows VALUES {}", rows.join(", ")))).await?;
        Ok(Self(pool))
    }

    /// Which server it is, such as `9.7.1`.
    pub(crate) async fn version(&self) -> Result<String, Error> {
        let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&self.0).await?;
        Ok(version.split('-').next().unwrap_or_default().to_owned())
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

#[async_trait]
impl Raw for RawMysql {
    async fn change(&self, row: i64, lines: u32) -> Result<(), Error> {
        let mut connection = self.0.acquire().await?;
        connection.execute("START TRANSACTION").await?;
        let change = sqlx::query("UPDATE raw_rows SET units = units - ? WHERE id = ?");
        change.bind(i64::from(lines)).bind(row).execute(&mut *connection).await?;
        let statement = insert(lines);
        let mut add = sqlx::query(AssertSqlSafe(statement));
        for _ in 0..lines {
            add = add.bind(row);
        }
        add.execute(&mut *connection).await?;
        connection.execute("COMMIT").await.map(drop)
    }

    async fn read(&self, row: i64) -> Result<(), Error> {
        let units: i64 = sqlx::query_scalar("SELECT units FROM raw_rows WHERE id = ?").bind(row).fetch_one(&self.0).await?;
        std::hint::black_box(units);
        Ok(())
    }

    async fn read_lines(&self, after: i64, lines: u32) -> Result<(), Error> {
        let lines: Vec<Line> = sqlx::query_as(READ_LINES).bind(after).bind(lines).fetch_all(&self.0).await?;
        std::hint::black_box(lines);
        Ok(())
    }
}

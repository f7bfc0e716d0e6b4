use super::{Line, READ_LINES, ROWS, Raw, insert};
use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Error, Executor};
use std::path::Path;
use tokio::sync::Mutex;

const READERS: u32 = 4;

/// A file of its own in the folder of the shop, written and read as the store does it: one writer, synced at each commit.
pub(crate) struct RawSqlite {
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
}

impl RawSqlite {
    pub(crate) async fn open(folder: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("raw.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "4000")
            .disable_statement_logging();
        let mut writer = options.connect().await?;
        writer.execute("CREATE TABLE raw_rows (id INTEGER PRIMARY KEY, units INTEGER NOT NULL)").await?;
        let ledger = "CREATE TABLE raw_lines (id INTEGER PRIMARY KEY, row_id INTEGER NOT NULL, delta INTEGER NOT NULL, kind TEXT NOT NULL)";
        writer.execute(ledger).await?;
        let rows: Vec<_> = (1..=ROWS).map(|id| format!("({id}, 1000000000)")).collect();
        writer.execute(AssertSqlSafe(format!("INSERT INTO raw_rows VALUES {}", rows.join(", ")))).await?;
        let readers =
            SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false).connect_lazy_with(options.read_only(true));
        Ok(Self { writer: Mutex::new(writer), readers })
    }
}

#[async_trait]
impl Raw for RawSqlite {
    async fn change(&self, row: i64, lines: u32) -> Result<(), Error> {
        let mut writer = self.writer.lock().await;
        writer.execute("BEGIN IMMEDIATE").await?;
        let change = sqlx::query("UPDATE raw_rows SET units = units - ? WHERE id = ?");
        change.bind(i64::from(lines)).bind(row).execute(&mut *writer).await?;
        let statement = insert(lines);
        let mut add = sqlx::query(AssertSqlSafe(statement));
        for _ in 0..lines {
            add = add.bind(row);
        }
        add.execute(&mut *writer).await?;
        writer.execute("COMMIT").await.map(drop)
    }

    async fn read(&self, row: i64) -> Result<(), Error> {
        let units: i64 = sqlx::query_scalar("SELECT units FROM raw_rows WHERE id = ?").bind(row).fetch_one(&self.readers).await?;
        std::hint::black_box(units);
        Ok(())
    }

    async fn read_lines(&self, after: i64, lines: u32) -> Result<(), Error> {
        let lines: Vec<Line> = sqlx::query_as(READ_LINES).bind(after).bind(lines).fetch_all(&self.readers).await?;
        std::hint::black_box(lines);
        Ok(())
    }
}

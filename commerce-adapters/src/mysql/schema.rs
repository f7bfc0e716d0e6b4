use super::MysqlOptions;
use super::connections::connect;
use super::error::{self, store_error};
use crate::sql::{OpenError, SchemaState, migrations};
use commerce_core::store::StoreError;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, Executor, SqlSafeStr};

// 0018_bus_offsets, 0021_ranking_calendar to 0026_ranked_products and 0028_board_day_fences are not there: groups that share a MySQL store read from
// Kafka, which keeps their places, and boards live in Redis.
migrations! {
    "mysql",
    1: "0001_users",
    2: "0002_point_accounts",
    3: "0003_point_entries",
    4: "0004_products",
    5: "0005_product_options",
    6: "0006_stocks",
    7: "0007_stock_entries",
    8: "0008_coupons",
    9: "0009_user_coupons",
    10: "0010_orders",
    11: "0011_order_items",
    12: "0012_payments",
    13: "0013_outbox",
    14: "0014_inbox",
    15: "0015_dead_letters",
    16: "0016_idempotency_records",
    17: "0017_sequences",
    19: "0019_coupon_requests",
    20: "0020_payments_by_time",
    27: "0027_fences",
    29: "0029_outbox_handled_by",
}

/// Where the driver notes which steps were taken.
const NOTES: &str = "_sqlx_migrations";
/// Named after the database, because such locks are shared by the whole server. A name has at most 64 characters.
const LOCK: &str = "SELECT COALESCE(GET_LOCK(CONCAT('commerce-migrate-', LEFT(SHA2(DATABASE(), 256), 40)), 600), 0)";
const UNLOCK: &str = "SELECT RELEASE_LOCK(CONCAT('commerce-migrate-', LEFT(SHA2(DATABASE(), 256), 40)))";

const ERROR_UNKNOWN_DATABASE: u16 = 1049;
/// A table, a column or an index is there already, or what is to be dropped is not.
const ERRORS_DONE_ALREADY: [u16; 4] = [1050, 1060, 1061, 1091];

fn wanted() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

fn number(error: &Error) -> u16 {
    error.as_database_error().map_or(0, error::number)
}

/// Compares the schema of a database with the program's, without changing it.
pub(super) async fn state(options: &MysqlOptions) -> Result<SchemaState, StoreError> {
    let mut connection = match connect(options).await {
        Err(error) if number(&error) == ERROR_UNKNOWN_DATABASE => return Ok(SchemaState::of(0, wanted())),
        connected => connected.map_err(store_error)?,
    };
    let found = found(&mut connection).await;
    connection.close().await.map_err(store_error)?;
    Ok(SchemaState::of(found.map_err(store_error)?, wanted()))
}

async fn found(connection: &mut MySqlConnection) -> Result<i64, Error> {
    let kept = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
    let kept: i64 = sqlx::query_scalar(kept).bind(NOTES).fetch_one(&mut *connection).await?;
    if kept == 0 {
        return Ok(0);
    }
    let latest = format!("SELECT COALESCE(MAX(version), 0) FROM {NOTES} WHERE success");
    sqlx::query_scalar(AssertSqlSafe(latest)).fetch_one(connection).await
}

/// Brings an older schema up to date. A newer one is refused before anything is touched.
pub(super) async fn migrate(options: &MysqlOptions, progress: impl FnMut(usize, usize)) -> Result<(), OpenError> {
    let mut connection = match connect(options).await {
        Err(error) if number(&error) == ERROR_UNKNOWN_DATABASE => {
            make_database(options).await.map_err(store_error)?;
            connect(options).await
        }
        connected => connected,
    }
    .map_err(store_error)?;
    let locked: i64 = sqlx::query_scalar(LOCK).fetch_one(&mut connection).await.map_err(store_error)?;
    if locked != 1 {
        return Err(OpenError::Migration("another process has been at it for ten minutes".into()));
    }
    let migrated = take_steps(&mut connection, progress).await;
    connection.execute(UNLOCK).await.map_err(store_error)?;
    connection.close().await.map_err(store_error)?;
    migrated
}

async fn make_database(options: &MysqlOptions) -> Result<(), Error> {
    let name = options.database().replace('`', "``");
    let mut connection = options.driver().database("").connect().await?;
    let make = format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    connection.execute(AssertSqlSafe(make)).await.map(drop)
}

async fn take_steps(connection: &mut MySqlConnection, mut progress: impl FnMut(usize, usize)) -> Result<(), OpenError> {
    SchemaState::of(found(connection).await.map_err(store_error)?, wanted()).refuse_newer()?;
    connection.ensure_migrations_table(NOTES).await.map_err(failed)?;
    let unfinished = connection.dirty_version(NOTES).await.map_err(failed)?;
    let taken = connection.list_applied_migrations(NOTES).await.map_err(failed)?;
    let steps = MIGRATIONS.iter().zip(1..).map(|((version, name, sql), done)| {
        (Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false), done)
    });
    for (step, done) in steps {
        match taken.iter().find(|taken| taken.version == step.version) {
            _ if unfinished == Some(step.version) => take_again(connection, &step).await?,
            Some(taken) if taken.checksum == step.checksum => {}
            Some(_) => return Err(OpenError::Migration(format!("step {} is not the one this program knows", step.description).into())),
            None => connection.apply(NOTES, &step).await.map(drop).map_err(failed)?,
        }
        progress(done, MIGRATIONS.len());
    }
    Ok(())
}

/// Takes a step that was begun by somebody who did not come to note its end. It is one statement, which has had its effect or none: if it finds
/// that it has, that is noted.
async fn take_again(connection: &mut MySqlConnection, step: &Migration) -> Result<(), OpenError> {
    let delete = format!("DELETE FROM {NOTES} WHERE version = ? AND NOT success");
    sqlx::query(AssertSqlSafe(delete)).bind(step.version).execute(&mut *connection).await.map_err(store_error)?;
    match connection.apply(NOTES, step).await {
        Err(MigrateError::ExecuteMigration(error, _)) if ERRORS_DONE_ALREADY.contains(&number(&error)) => {
            let done = format!("UPDATE {NOTES} SET success = TRUE WHERE version = ?");
            sqlx::query(AssertSqlSafe(done))
                .bind(step.version)
                .execute(connection)
                .await
                .map(drop)
                .map_err(|error| store_error(error).into())
        }
        applied => applied.map(drop).map_err(failed),
    }
}

fn failed(error: MigrateError) -> OpenError {
    match error {
        MigrateError::Execute(error) => OpenError::Store(store_error(error)),
        error => OpenError::Migration(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the schema of SQLite has beside.
    const SQLITE_ONLY: [&str; 8] = [
        "0018_bus_offsets",
        "0021_ranking_calendar",
        "0022_board_days",
        "0023_board_orders",
        "0024_board_units",
        "0025_rankings",
        "0026_ranked_products",
        "0028_board_day_fences",
    ];

    #[test]
    fn steps_have_the_numbers_and_names_they_have_on_sqlite() {
        let here: Vec<String> = MIGRATIONS.iter().map(|(_, name, _)| (*name).to_owned()).collect();
        assert!(MIGRATIONS.iter().all(|(version, name, _)| name.starts_with(&format!("{version:04}_"))));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
        let mut there: Vec<String> = files.filter(|name| !SQLITE_ONLY.contains(&name.as_str())).collect();
        there.sort();
        assert_eq!(here, there);
    }

    #[test]
    fn a_step_is_one_statement() {
        for (_, name, sql) in MIGRATIONS {
            let sql: String = sql.lines().filter(|line| !line.starts_with("--")).collect();
            assert_eq!(sql.matches(';').count(), 1, "{name}");
        }
    }
}

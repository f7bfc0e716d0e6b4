use super::error::store_error;
use crate::sql::{OpenError, SchemaState, migrations};
use commerce_core::store::StoreError;
use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;

migrations! {
    "sqlite",
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
    18: "0018_bus_offsets",
    19: "0019_coupon_requests",
    20: "0020_payments_by_time",
    21: "0021_ranking_calendar",
    22: "0022_board_days",
    23: "0023_board_orders",
    24: "0024_board_units",
    25: "0025_rankings",
    26: "0026_ranked_products",
    27: "0027_fences",
    28: "0028_board_day_fences",
    29: "0029_outbox_handled_by",
}

fn wanted() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false));
    Migrator::with_migrations(migrations.collect())
}

/// Compares the schema of a file with the program's, without changing it.
pub(super) async fn state(connection: &mut SqliteConnection) -> Result<SchemaState, StoreError> {
    let kept = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations')";
    let exists: bool = sqlx::query_scalar(kept).fetch_one(&mut *connection).await.map_err(store_error)?;
    let found: i64 = if exists {
        let latest = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success");
        latest.fetch_one(connection).await.map_err(store_error)?
    } else {
        0
    };
    Ok(SchemaState::of(found, wanted()))
}

/// Brings an older schema up to date. A newer one is refused before anything is touched.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    state(connection).await?.refuse_newer()?;
    migrator().run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) => OpenError::Store(store_error(error)),
        error => OpenError::Migration(error.into()),
    })
}

/// Refuses a schema that is not the program's.
pub(super) async fn require_current(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    state(connection).await?.require_current()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_from_one_without_gaps() {
        for ((version, name, _), expected) in MIGRATIONS.iter().zip(1..) {
            assert_eq!(*version, expected);
            assert!(name.starts_with(&format!("{expected:04}_")), "{name}");
        }
    }
}

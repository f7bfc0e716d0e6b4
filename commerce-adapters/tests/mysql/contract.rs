use crate::database::Database;
use crate::plans;
use crate::statements::noted;
use commerce_core::testing::contract;
use std::sync::Arc;

/// The store keeps every promise of its port, by statements whose plans are sound. Each check begins with empty tables, which is much faster than
/// with new ones.
pub(crate) async fn store_and_the_plans_of_its_statements(database: Database) {
    let statements = noted(contract::store(async || Arc::new(database.emptied().await) as _)).await;
    plans::assert_sound(&database, statements).await;
}

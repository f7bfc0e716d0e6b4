use super::SqliteStore;
use crate::sql::read_whole;
use crate::sql::statements::fetch;
use commerce_core::store::StoreError;
use sqlx::{QueryBuilder, Sqlite};

/// Of the locks that guard what is stored, and of the one under which boards are made. Both tables have a handful of rows.
const LAST: &str =
    "SELECT COALESCE(MAX(number), 0) FROM (SELECT MAX(number) AS number FROM fences UNION ALL SELECT MAX(fence) FROM board_days)";

impl SqliteStore {
    /// The largest fence anybody has written; 0 if nobody has.
    pub(crate) async fn last_fence(&self) -> Result<u64, StoreError> {
        let last = QueryBuilder::<Sqlite>::new(LAST);
        let mut link = self.reads().link().await?;
        Ok(fetch(link.as_mut(), last, read_whole).await?.pop().unwrap_or(0))
    }
}

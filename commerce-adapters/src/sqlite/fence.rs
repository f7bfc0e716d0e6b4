use super::SqliteStore;
use crate::sql::read_whole;
use crate::sql::statements::{fetch, push_texts};
use commerce_core::store::StoreError;
use sqlx::{QueryBuilder, Sqlite};

/// How many names are looked for at once.
const NAMES_MAX: usize = 1024;

impl SqliteStore {
    /// The largest fence anybody has written of these locks, or of any board; 0 if nobody has. There are boards of a handful of days.
    pub(crate) async fn last_fence(&self, names: &[&str]) -> Result<u64, StoreError> {
        let mut link = self.reads().link().await?;
        let mut last = 0;
        for names in names.chunks(NAMES_MAX) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT COALESCE(MAX(number), 0) FROM (SELECT MAX(fence) AS number FROM board_days UNION ALL SELECT number FROM fences WHERE lock_name IN",
            );
            push_texts(&mut query, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            query.push(")");
            last = last.max(fetch(link.as_mut(), query, read_whole).await?.pop().unwrap_or(0));
        }
        Ok(last)
    }
}

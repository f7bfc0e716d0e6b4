use crate::sql::statements::fetch;
use crate::sql::{Backend, Link, dead_letters};
use commerce_core::DeadLetterId;
use commerce_core::messaging::DeadLetter;
use commerce_core::store::{PageLimit, StoreError};
use sqlx::QueryBuilder;

pub(super) async fn dead_letters<DB: Backend>(
    link: &mut dyn Link<DB>,
    after: Option<DeadLetterId>,
    limit: PageLimit,
) -> Result<Vec<DeadLetter>, StoreError> {
    let mut query = QueryBuilder::<DB>::new(dead_letters::SELECT);
    query.push(" WHERE replayed_at IS NULL AND id > ").push_bind(after.map_or(0, i64::from));
    query.push(" ORDER BY id LIMIT ").push_bind(i64::try_from(limit.get()).unwrap_or(i64::MAX));
    fetch(link, query, dead_letters::read).await
}

pub(super) async fn dead_letter<DB: Backend>(link: &mut dyn Link<DB>, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
    let mut query = QueryBuilder::<DB>::new(dead_letters::SELECT);
    query.push(" WHERE id = ").push_bind(id.get());
    Ok(fetch(link, query, dead_letters::read).await?.pop())
}

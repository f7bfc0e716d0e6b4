use crate::sql::statements::fetch;
use crate::sql::{Backend, Link, idempotency};
use commerce_core::idempotency::{Claim, IdempotencyRecord};
use commerce_core::store::StoreError;
use sqlx::QueryBuilder;

pub(super) async fn record<DB: Backend>(link: &mut dyn Link<DB>, claim: &Claim) -> Result<Option<IdempotencyRecord>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(idempotency::COLUMNS).push(" FROM idempotency_records WHERE idempotency_key = ");
    query.push_bind(claim.key.as_str().to_owned()).push(" AND owner = ").push_bind(claim.owner.as_i64());
    Ok(fetch(link, query, idempotency::read).await?.pop())
}

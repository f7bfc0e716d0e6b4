use super::statements::{execute, fetch, insert, padded};
use super::{Backend, Fields, SqlUnitOfWork, Value};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::UserId;
use commerce_core::idempotency::{Claim, IdempotencyKey, IdempotencyRecord, IdempotencyRepository, KeyOwner, StoredAnswer};
use commerce_core::store::StoreError;
use sqlx::QueryBuilder;

pub(super) const COLUMNS: &str = "owner, idempotency_key, fingerprint, status, location, body, created_at";

/// Reads [`COLUMNS`].
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<IdempotencyRecord, StoreError> {
    let owner = match row.int()? {
        0 => KeyOwner::Anyone,
        id => KeyOwner::User(UserId::new(id).map_err(corrupt)?),
    };
    let key = row.exact(IdempotencyKey::parse)?;
    let fingerprint = row.bytes()?.try_into().map_err(|_| corrupt("a fingerprint that has not 32 bytes"))?;
    Ok(IdempotencyRecord {
        claim: Claim { owner, key, fingerprint },
        answer: StoredAnswer { status: row.whole()?, location: row.opt_text()?, body: row.bytes()? },
        at: row.at()?,
    })
}

#[async_trait]
impl<DB: Backend> IdempotencyRepository for SqlUnitOfWork<DB> {
    async fn find(&mut self, claims: &[Claim]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let mut found = Vec::new();
        for piece in claims.chunks(DB::ROWS_MAX) {
            let pairs = |claim: &Claim| [claim.key.as_str().to_owned().into(), claim.owner.as_i64().into()];
            let pairs: Vec<[Value; 2]> = padded(piece).map(pairs).collect();
            let mut query = QueryBuilder::<DB>::new("SELECT ");
            query.push(COLUMNS).push(" FROM idempotency_records WHERE ");
            DB::push_pairs(&mut query, ["idempotency_key", "owner"], &pairs);
            found.append(&mut fetch(self.link(), query, read).await?);
        }
        Ok(found)
    }

    async fn insert(&mut self, records: &[IdempotencyRecord]) -> Result<(), StoreError> {
        let added = insert(self.link(), "idempotency_records", COLUMNS, records, |mut row, record| {
            row.push_bind(record.claim.owner.as_i64());
            row.push_bind(record.claim.key.as_str().to_owned());
            row.push_bind(record.claim.fingerprint.to_vec());
            row.push_bind(i64::from(record.answer.status));
            row.push_bind(record.answer.location.clone());
            row.push_bind(record.answer.body.clone());
            row.push_bind(record.at.millis());
        });
        added.await.map(drop)
    }

    async fn replace(&mut self, record: &IdempotencyRecord) -> Result<(), StoreError> {
        let IdempotencyRecord { claim, answer, at } = record;
        let mut query = QueryBuilder::<DB>::new("UPDATE idempotency_records SET fingerprint = ");
        query.push_bind(claim.fingerprint.to_vec()).push(", status = ").push_bind(i64::from(answer.status));
        query.push(", location = ").push_bind(answer.location.clone()).push(", body = ").push_bind(answer.body.clone());
        query.push(", created_at = ").push_bind(at.millis()).push(" WHERE idempotency_key = ").push_bind(claim.key.as_str().to_owned());
        query.push(" AND owner = ").push_bind(claim.owner.as_i64());
        if execute(self.link(), query).await? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }
}

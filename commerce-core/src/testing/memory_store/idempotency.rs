use super::State;
use super::state::insert_new;
use crate::idempotency::{Claim, IdempotencyRecord, IdempotencyRepository};
use crate::store::StoreError;
use async_trait::async_trait;
use std::collections::BTreeSet;

#[async_trait]
impl IdempotencyRepository for State {
    async fn find(&mut self, claims: &[Claim]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let keys: BTreeSet<_> = claims.iter().map(|claim| (claim.owner, claim.key.clone())).collect();
        Ok(keys.iter().filter_map(|key| self.idempotency.get(key)).cloned().collect())
    }

    async fn insert(&mut self, records: &[IdempotencyRecord]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for record in records {
            let key = (record.claim.owner, record.claim.key.clone());
            insert_new(&mut self.idempotency, key, record.clone(), "idempotency key")?;
        }
        Ok(())
    }

    async fn replace(&mut self, record: &IdempotencyRecord) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        let key = (record.claim.owner, record.claim.key.clone());
        *self.idempotency.get_mut(&key).ok_or(StoreError::Conflict)? = record.clone();
        Ok(())
    }
}

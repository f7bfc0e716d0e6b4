use super::statements::{execute, fetch};
use super::{Backend, SqlUnitOfWork, read_whole};
use async_trait::async_trait;
use commerce_core::lock::{Fence, FenceRepository};
use commerce_core::store::StoreError;
use sqlx::QueryBuilder;
use std::cmp::Ordering;

#[async_trait]
impl<DB: Backend> FenceRepository for SqlUnitOfWork<DB> {
    async fn claim(&mut self, fences: &[Fence]) -> Result<(), StoreError> {
        // Everybody locks the rows in the same order. Whoever has many locks has few fences to show: a statement for each is fine.
        let mut ascending: Vec<&Fence> = fences.iter().collect();
        ascending.sort_unstable();
        for fence in ascending {
            self.claim_one(fence).await?;
        }
        Ok(())
    }
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    async fn claim_one(&mut self, Fence { lock, number }: &Fence) -> Result<(), StoreError> {
        let number = i64::try_from(*number).map_err(|_| StoreError::Corrupt(format!("{number} is no fence")))?;
        // Most claims are of a lock that was granted anew.
        let mut raise = QueryBuilder::<DB>::new("UPDATE fences SET number = ");
        raise.push_bind(number).push(" WHERE lock_name = ").push_bind(lock.clone()).push(" AND number < ").push_bind(number);
        if execute(self.link(), raise).await? == 1 {
            return Ok(());
        }
        let mut look = QueryBuilder::<DB>::new("SELECT number FROM fences WHERE lock_name = ");
        look.push_bind(lock.clone()).push(DB::FOR_UPDATE);
        let stored: Option<i64> = fetch(self.link(), look, read_whole).await?.pop();
        match stored.map(|stored| stored.cmp(&number)) {
            None => {
                let mut add = QueryBuilder::<DB>::new("INSERT INTO fences (lock_name, number) VALUES (");
                add.push_bind(lock.clone()).push(", ").push_bind(number).push(")");
                // Whoever adds the same one at the same moment comes first: this unit of work is run again then.
                execute(self.link(), add).await.map(drop)
            }
            Some(Ordering::Equal) => Ok(()),
            Some(Ordering::Greater) => Err(StoreError::Fenced { lock: lock.clone() }),
            Some(Ordering::Less) => Err(StoreError::Conflict),
        }
    }
}

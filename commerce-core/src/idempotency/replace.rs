use super::IdempotencyRecord;
use crate::store::{Handler, StoreError, UnitOfWork};
use async_trait::async_trait;

/// The use case "replace an answer": writes the answer that was given in the end over the one that was known when the change was made.
pub struct ReplaceAnswers;

#[async_trait]
impl Handler for ReplaceAnswers {
    type Command = IdempotencyRecord;
    type Verdict = ();

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[IdempotencyRecord]) -> Result<Vec<()>, StoreError> {
        for record in batch {
            uow.idempotency().replace(record).await?;
        }
        Ok(vec![(); batch.len()])
    }
}

use super::{ChargePoints, NewPointEntry, PointAccount, PointError};
use crate::guard::Conditional;
use crate::store::{Handler, StoreError, UnitOfWork, order_of_arrival, order_of_locks};
use crate::{Clock, Money, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;

/// The use case "charge", decided by the statement that raises the balance if it stays within its bounds.
pub struct ChargeInPlace {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for ChargeInPlace {
    type Command = ChargePoints;
    type Verdict = Result<Money, PointError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[ChargePoints]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let mut entries = Vec::with_capacity(batch.len());
        let mut verdicts = Vec::with_capacity(batch.len());
        for at in order_of_locks(batch, |command| command.user_id) {
            let charged = charge_in_place(uow, &batch[at], now).await?;
            verdicts.push((at, charged.as_ref().map(|entry| entry.balance_after).map_err(Clone::clone)));
            entries.extend(charged.ok());
        }
        if !entries.is_empty() {
            uow.points().save(&[], &entries).await?;
        }
        Ok(order_of_arrival(verdicts))
    }
}

impl Conditional for ChargeInPlace {}

async fn charge_in_place(
    uow: &mut dyn UnitOfWork,
    command: &ChargePoints,
    now: Timestamp,
) -> Result<Result<NewPointEntry, PointError>, StoreError> {
    let ChargePoints { user_id, amount, idempotency_key } = command;
    if let Some(balance) = uow.points().shift(*user_id, amount.amount().krw()).await? {
        let account = PointAccount { balance, ..PointAccount::open(*user_id) };
        return Ok(Ok(account.charged(*amount, idempotency_key.clone(), now)));
    }
    let Some(mut account) = uow.points().lock(&[*user_id]).await?.pop() else { return Ok(Err(PointError::UserNotFound(*user_id))) };
    match account.charge(*amount, idempotency_key.clone(), now) {
        Err(refusal) => Ok(Err(refusal)),
        // It was changed since the statement looked at it.
        Ok(_) => Err(StoreError::Conflict),
    }
}

use super::{ChargeAmount, PointError};
use crate::guard::{Contended, Rechecked};
use crate::lock::LockName;
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, Money, UserId};
use async_trait::async_trait;
use std::sync::Arc;

/// Pays points in.
#[derive(Debug, Clone)]
pub struct ChargePoints {
    /// Who pays in.
    pub user_id: UserId,
    /// How much.
    pub amount: ChargeAmount,
    /// The key the client sent, for the ledger.
    pub idempotency_key: Option<String>,
}

/// The use case "charge"; the verdict is the balance afterwards.
pub struct Charge {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Charge {
    type Command = ChargePoints;
    type Verdict = Result<Money, PointError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[ChargePoints]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let accounts = uow.points().lock(&ascending(batch.iter().map(|command| command.user_id))).await?;
        let mut accounts = Loaded::new(accounts, |account| account.user_id);
        let mut entries = Vec::with_capacity(batch.len());
        let verdicts = batch
            .iter()
            .map(|command| {
                let charged =
                    accounts.change(command.user_id, |account| account.charge(command.amount, command.idempotency_key.clone(), now));
                let entry = charged.unwrap_or(Err(PointError::UserNotFound(command.user_id)))?;
                let balance = entry.balance_after;
                entries.push(entry);
                Ok(balance)
            })
            .collect();
        if !entries.is_empty() {
            uow.points().save(&accounts.into_changed(), &entries).await?;
        }
        Ok(verdicts)
    }
}

/// A save checks the version that was read.
impl Rechecked for Charge {}

impl Contended for Charge {
    fn contends_for(&self, command: &ChargePoints) -> Vec<LockName> {
        vec![LockName::of("points", command.user_id)]
    }
}

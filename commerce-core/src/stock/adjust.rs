use super::{StockError, StockQuantity};
use crate::guard::{Contended, Rechecked};
use crate::lock::LockName;
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, OptionId};
use async_trait::async_trait;
use std::sync::Arc;

/// Counts, restocks or writes off.
#[derive(Debug, Clone)]
pub struct AdjustStock {
    /// The option.
    pub option_id: OptionId,
    /// The units to add, or to take away if it is negative.
    pub delta: i64,
    /// Why, in the administrator's words.
    pub reason: String,
}

/// The use case "adjust stock"; the verdict is the stock afterwards.
pub struct StockAdjustment {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for StockAdjustment {
    type Command = AdjustStock;
    type Verdict = Result<StockQuantity, StockError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[AdjustStock]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let stock = uow.stock().lock(&ascending(batch.iter().map(|command| command.option_id))).await?;
        let mut stock = Loaded::new(stock, |stock| stock.option_id);
        let mut entries = Vec::new();
        let verdicts = batch
            .iter()
            .map(|AdjustStock { option_id, delta, reason }| {
                let adjusted = stock.change(*option_id, |stock| stock.adjust(*delta, reason, now).map(|entry| (stock.quantity, entry)));
                let (quantity, entry) = adjusted.unwrap_or(Err(StockError::OptionNotFound(*option_id)))?;
                entries.push(entry);
                Ok(quantity)
            })
            .collect();
        if !entries.is_empty() {
            uow.stock().save(&stock.into_changed(), &entries).await?;
        }
        Ok(verdicts)
    }
}

/// A save checks the version that was read.
impl Rechecked for StockAdjustment {}

impl Contended for StockAdjustment {
    fn contends_for(&self, command: &AdjustStock) -> Vec<LockName> {
        vec![LockName::of("stock", command.option_id)]
    }
}

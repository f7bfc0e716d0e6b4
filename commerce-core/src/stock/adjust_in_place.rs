use super::{AdjustStock, NewStockEntry, Stock, StockError, StockQuantity};
use crate::guard::{Conditional, Ration, Share};
use crate::store::{Handler, StoreError, UnitOfWork, order_of_arrival, order_of_locks};
use crate::{Clock, Timestamp};
use async_trait::async_trait;
use std::sync::Arc;

/// The use case "adjust stock", decided by the statement that shifts the stock if it stays within its range.
pub struct StockAdjustmentInPlace {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for StockAdjustmentInPlace {
    type Command = AdjustStock;
    type Verdict = Result<StockQuantity, StockError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[AdjustStock]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let mut entries = Vec::with_capacity(batch.len());
        let mut verdicts = Vec::with_capacity(batch.len());
        for at in order_of_locks(batch, |command| command.option_id) {
            let adjusted = adjust_in_place(uow, &batch[at], now).await?;
            verdicts.push((at, adjusted.as_ref().map(|(quantity, _)| *quantity).map_err(Clone::clone)));
            entries.extend(adjusted.ok().map(|(_, entry)| entry));
        }
        if !entries.is_empty() {
            uow.stock().save(&[], &entries).await?;
        }
        Ok(order_of_arrival(verdicts))
    }
}

impl Conditional for StockAdjustmentInPlace {}

type Adjusted = Result<(StockQuantity, NewStockEntry), StockError>;

async fn adjust_in_place(uow: &mut dyn UnitOfWork, command: &AdjustStock, now: Timestamp) -> Result<Adjusted, StoreError> {
    let AdjustStock { option_id, delta, reason } = command;
    if let Some(quantity) = uow.stock().shift(*option_id, *delta).await? {
        return Ok(Ok((quantity, Stock::adjusted(*option_id, *delta, reason, now))));
    }
    let Some(mut stock) = uow.stock().lock(&[*option_id]).await?.pop() else { return Ok(Err(StockError::OptionNotFound(*option_id))) };
    match stock.adjust(*delta, reason, now) {
        Err(refusal) => Ok(Err(refusal)),
        // It was changed since the statement looked at it.
        Ok(_) => Err(StoreError::Conflict),
    }
}

/// Of each option as many units can be taken as there are. Every command counts, those that add units as well.
pub struct StockRation;

#[async_trait]
impl Ration for StockRation {
    type Command = AdjustStock;
    type Verdict = Result<StockQuantity, StockError>;

    fn share(&self, command: &AdjustStock) -> Option<Share> {
        Some(Share { of: format!("stock-{}", command.option_id), delta: command.delta })
    }

    fn too_late(&self, _command: &AdjustStock) -> Self::Verdict {
        Err(StockError::OutOfRange)
    }

    fn is_done(&self, verdict: &Self::Verdict) -> bool {
        verdict.is_ok()
    }

    async fn left(&self, uow: &mut dyn UnitOfWork, command: &AdjustStock) -> Result<Option<u64>, StoreError> {
        let stock = uow.stock().lock(&[command.option_id]).await?.pop();
        Ok(stock.map(|stock| u64::from(stock.quantity.units())))
    }
}

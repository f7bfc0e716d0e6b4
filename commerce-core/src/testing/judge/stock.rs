use super::{Carried, Refusals, Told};
use crate::stock::{AdjustStock, Stock, StockEntry, StockError, StockQuantity};
use crate::store::{Store, StoreError};
use crate::{ID_MAX, OptionId, StockEntryId};
use std::collections::BTreeSet;

const PAGE_ROWS: u32 = 500;

/// What is wrong with the stock of the options that were adjusted, in words; nothing if it is as it would be had the commands come one after the
/// other. The reason of each command has to be one of its own.
///
/// # Errors
/// Those of the store.
pub async fn judge_stock(
    store: &dyn Store,
    told: &[(AdjustStock, Told<Result<StockQuantity, StockError>>)],
    refusals: Refusals,
) -> Result<Vec<String>, StoreError> {
    let mut wrong = Vec::new();
    let options: BTreeSet<OptionId> = told.iter().map(|(command, _)| command.option_id).collect();
    for option in options {
        let (stock, ledger) = read(store, option).await?;
        let mut carried = Carried::new();
        let (mut sum, mut moments) = (0_i64, BTreeSet::new());
        for entry in &ledger {
            sum += entry.change.delta;
            moments.insert(sum);
            carried.add(entry.change.reason.as_deref().unwrap_or_default(), sum);
            if sum < 0 {
                wrong.push(format!("option {option}: {} units more were sold than there were", -sum));
            }
        }
        let quantity = stock.as_ref().map_or(0, |stock| i64::from(stock.quantity.units()));
        if sum != quantity {
            wrong.push(format!("option {option}: {quantity} units are left but the ledger sums to {sum}: an update was lost"));
        }
        let has_reason =
            |delta: i64| stock.is_none() || moments.iter().any(|units| StockQuantity::new(units.saturating_add(delta)).is_err());
        for (command, told) in told.iter().filter(|(command, _)| command.option_id == option) {
            let said = match told {
                Told::Verdict(Ok(quantity)) => Told::Verdict(i64::from(quantity.units())),
                Told::Verdict(Err(_)) | Told::Nothing => Told::Nothing,
                Told::Unknown => Told::Unknown,
            };
            wrong.extend(carried.compare(&command.reason, &said).map(|wrong| format!("option {option}: {wrong}")));
            if refusals == Refusals::HaveReasons && matches!(told, Told::Verdict(Err(_))) && !has_reason(command.delta) {
                wrong.push(format!("option {option}: {} was refused, and there was always enough", command.reason));
            }
        }
    }
    Ok(wrong)
}

/// The stock of an option and its ledger, in the order of the changes.
async fn read(store: &dyn Store, option: OptionId) -> Result<(Option<Stock>, Vec<StockEntry>), StoreError> {
    let mut snapshot = store.snapshot().await?;
    let before = OptionId::new(option.get() - 1).ok();
    let stock = snapshot.stock(before, 1).await?.pop().filter(|stock| stock.option_id == option);
    let mut after = before.zip(StockEntryId::new(ID_MAX).ok());
    let mut ledger = Vec::new();
    loop {
        let page = snapshot.stock_entries(after, PAGE_ROWS).await?;
        after = page.last().map(|entry| (entry.change.option_id, entry.id));
        ledger.extend(page.into_iter().filter(|entry| entry.change.option_id == option));
        if after.is_none_or(|(last, _)| last > option) {
            return Ok((stock, ledger));
        }
    }
}

//! A2: every option's stock is the sum of its ledger entries. And A3 for options: what orders took and gave back is what they hold.

use super::scan::{PAGE_ROWS, Scan};
use super::{CheckId, Findings, Pass};
use crate::OptionId;
use crate::stock::{Stock, StockEntry, StockEntryKind};
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};

/// Units of each option.
pub(super) type Units = BTreeMap<OptionId, i64>;

/// Checks A2, and answers for each option the units that orders took less those they gave back, as the ledger has it.
pub(super) async fn check(pass: &mut Pass<'_>) -> Result<Units, StoreError> {
    pass.reading = CheckId::A2;
    let mut stock = Scan::new(|snapshot, after| snapshot.stock(after, PAGE_ROWS), |stock: &Stock| stock.option_id);
    let mut entries =
        Scan::new(|snapshot, after| snapshot.stock_entries(after, PAGE_ROWS), |entry: &StockEntry| (entry.change.option_id, entry.id));
    let mut taken = Units::new();
    while let Some(shelf) = stock.next(pass.snapshot.as_mut()).await? {
        while let Some(stray) = entries.next_if(pass.snapshot.as_mut(), |entry| entry.change.option_id < shelf.option_id).await? {
            report_stray(&mut pass.findings, &stray);
        }
        let (mut sum, mut beginnings) = (0_i128, 0_u64);
        while let Some(entry) = entries.next_if(pass.snapshot.as_mut(), |entry| entry.change.option_id == shelf.option_id).await? {
            sum += i128::from(entry.change.delta);
            beginnings += u64::from(entry.change.kind == StockEntryKind::Initial);
            if matches!(entry.change.kind, StockEntryKind::Reserve | StockEntryKind::Release) {
                *taken.entry(shelf.option_id).or_default() -= entry.change.delta;
            }
        }
        let units = shelf.quantity.units();
        if sum != i128::from(units) {
            let detail = format!("stock is {units} but its ledger sums to {sum}");
            pass.findings.certain(CheckId::A2, format!("option {}", shelf.option_id), detail);
        }
        if beginnings > 1 {
            let detail = format!("its ledger begins {beginnings} times");
            pass.findings.certain(CheckId::A2, format!("option {}", shelf.option_id), detail);
        }
        pass.report("stock entries", entries.rows());
    }
    while let Some(stray) = entries.next(pass.snapshot.as_mut()).await? {
        report_stray(&mut pass.findings, &stray);
    }
    (pass.counts.stock, pass.counts.stock_entries) = (stock.rows(), entries.rows());
    Ok(taken)
}

/// Checks A3 for options: `taken` is what the ledger has, `held` what all orders hold together.
pub(super) fn compare(pass: &mut Pass<'_>, taken: &Units, held: &Units) {
    let options: BTreeSet<OptionId> = taken.keys().chain(held.keys()).copied().collect();
    for option in options {
        let of = |units: &Units| units.get(&option).copied().unwrap_or(0);
        let (taken, held) = (of(taken), of(held));
        if taken != held {
            let detail = format!("its ledger says that orders hold {taken} units but the orders there are hold {held}");
            pass.findings.certain(CheckId::A3, format!("option {option}"), detail);
        }
    }
}

fn report_stray(findings: &mut Findings, entry: &StockEntry) {
    let subject = format!("option {}", entry.change.option_id);
    findings.certain(CheckId::A2, subject, format!("entry {} belongs to no stock", entry.id));
}

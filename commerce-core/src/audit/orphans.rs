//! A3, A4 and A6 for orders that do not exist, but that something names.

use super::scan::PAGE_ROWS;
use super::{CheckId, Pass};
use crate::OrderId;
use crate::store::StoreError;
use std::collections::BTreeSet;

/// Used coupons that name such an order are found with their user coupon.
pub(super) async fn check(pass: &mut Pass<'_>) -> Result<(), StoreError> {
    pass.reading = CheckId::A3;
    let orphans = pass.snapshot.orphans(PAGE_ROWS).await?;
    if orphans.is_empty() {
        return Ok(());
    }
    let taken: BTreeSet<OrderId> = pass.snapshot.reservations(&orphans).await?.iter().map(|held| held.order_id).collect();
    pass.reading = CheckId::A4;
    let paid: BTreeSet<OrderId> = pass.snapshot.payments_of(&orphans).await?.iter().map(|payment| payment.order_id).collect();
    let entered = pass.snapshot.point_entries_of(&orphans).await?;
    let entered: BTreeSet<OrderId> = entered.iter().filter_map(|entry| entry.change.order_id).collect();
    for order in orphans {
        let named = [
            (CheckId::A3, taken.contains(&order), "the stock ledger names it but it does not exist"),
            (CheckId::A4, paid.contains(&order), "a payment names it but it does not exist"),
            (CheckId::A4, entered.contains(&order), "the ledger of points names it but it does not exist"),
        ];
        for (check, _, detail) in named.into_iter().filter(|(_, found, _)| *found) {
            pass.findings.certain(check, format!("order {order}"), detail.to_owned());
        }
    }
    Ok(())
}

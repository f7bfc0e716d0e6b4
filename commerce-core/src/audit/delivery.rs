//! A8: nothing is stuck on its way.

use super::findings::SUSPECTS_MAX;
use super::orders::Case;
use super::{CheckId, Findings, Pass, Suspect};
use crate::Timestamp;
use crate::order::OrderStatus;
use crate::store::StoreError;
use std::time::Duration;

/// Checks that every event is delivered.
pub(super) async fn check_events(pass: &mut Pass<'_>) -> Result<(), StoreError> {
    pass.reading = CheckId::A8;
    // One more than are looked at again shows that there are more.
    for event in pass.snapshot.undelivered(SUSPECTS_MAX + 1).await? {
        pass.findings.suspect(CheckId::A8, Suspect::Event(event), "it is not delivered".to_owned());
    }
    Ok(())
}

/// Checks that an order is not pending for too long.
pub(super) fn check_order(case: &Case, now: Timestamp, saga_deadline: Duration, findings: &mut Findings) {
    let order = &case.order;
    let waiting = now.since(order.ordered_at);
    if order.status == OrderStatus::Pending && waiting > saga_deadline {
        findings.suspect(CheckId::A8, Suspect::Order(order.id), format!("it is PENDING for {} s", waiting.as_secs()));
    }
}

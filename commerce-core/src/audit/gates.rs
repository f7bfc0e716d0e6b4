//! A8 for coupons: no request is left undecided, no place is left pending, and the gates count what was issued.

use super::scan::PAGE_ROWS;
use super::{AuditError, CheckId, Drift, Pass, Suspect};
use crate::coupon::{CouponGate, GateError, PendingPlace};
use crate::store::StoreError;
use crate::{CouponId, Timestamp};

/// What the gates said.
pub(super) struct Gates {
    /// The coupons whose gates are open, with what the gate counts as issued.
    open: Vec<(CouponId, u64)>,
    /// The oldest places that are pending.
    pending: Vec<PendingPlace>,
}

impl Gates {
    /// Asks the gates of these coupons. A gate that is closed, such as that of another process, says nothing.
    pub(super) async fn read(gate: &dyn CouponGate, coupons: impl IntoIterator<Item = CouponId>) -> Result<Self, GateError> {
        let mut open = Vec::new();
        for coupon in coupons {
            open.extend(gate.census(coupon).await?.map(|census| (coupon, census.issued)));
        }
        let pending = gate.pending(Timestamp::MAX, PAGE_ROWS as usize).await?;
        Ok(Self { open, pending })
    }
}

/// Checks all gates, and that no request is left undecided.
pub(super) async fn check(pass: &mut Pass<'_>, drift: &mut Drift) -> Result<(), AuditError> {
    pass.reading = CheckId::A8;
    let (mut coupons, mut after) = (Vec::new(), None);
    loop {
        let page = pass.snapshot.coupons(after, PAGE_ROWS).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        coupons.extend(page.into_iter().map(|coupon| coupon.id));
    }
    let gates = Gates::read(pass.audited.gate, coupons).await?;
    pass.counts.gates = gates.open.len() as u64;
    compare(pass, &gates, drift).await?;
    Ok(())
}

/// Compares what the gates said with the store.
pub(super) async fn compare(pass: &mut Pass<'_>, gates: &Gates, drift: &mut Drift) -> Result<(), StoreError> {
    for (id, counted) in &gates.open {
        let just_before = CouponId::new(id.get() - 1).ok();
        let coupon = pass.snapshot.coupons(just_before, 1).await?.pop();
        let Some(coupon) = coupon.filter(|coupon| coupon.id == *id) else { continue };
        let suspect = Suspect::Gate(*id);
        if drift.differs(suspect, u64::from(coupon.issued), *counted) {
            let detail = format!("it counts {counted} as issued but {} are", coupon.issued);
            pass.findings.suspect(CheckId::A8, suspect, detail);
        }
    }
    for place in &gates.pending {
        let waiting = pass.now.since(place.at).as_secs();
        let detail = format!("it is pending at the gate of coupon {} for {waiting} s", place.coupon_id);
        pass.findings.suspect(CheckId::A8, Suspect::Place(place.task_id), detail);
    }
    for request in pass.snapshot.pending_requests(PAGE_ROWS).await? {
        let waiting = pass.now.since(request.admitted_at).as_secs();
        let detail = format!("it is not decided for {waiting} s");
        pass.findings.suspect(CheckId::A8, Suspect::Request(request.task_id), detail);
    }
    Ok(())
}

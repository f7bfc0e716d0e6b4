//! Proof that nothing was sold, charged or issued twice, or lost.
//!
//! [`audit`] reads one consistent snapshot in pages and checks the invariants [`CheckId::A1`] to [`CheckId::A8`], beside a running shop:
//! what may only be on its way (an event that is not delivered yet, stock that its event is about to release) is looked at again, and is
//! reported only if it stays.
//!
//! | check | file |
//! |---|---|
//! | A1 | `balances` |
//! | A2, and per option A3 | `shelves` |
//! | A3 per order | `reservations` |
//! | A4 | `payments` |
//! | A5 | `issuance` |
//! | A6 | `coupon_use` |
//! | A7 | `totals` |
//! | A8 | `delivery` |

mod balances;
mod coupon_use;
mod delivery;
mod findings;
mod issuance;
mod orders;
mod orphans;
mod payments;
mod report;
mod reservations;
mod scan;
mod shelves;
mod snapshot;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod totals;

pub use report::{AuditCounts, AuditOptions, AuditProgress, AuditReport, CheckId, Violation};
pub use snapshot::AuditSnapshot;

use self::findings::{Findings, Suspect};
use crate::store::{Store, StoreError};
use crate::{Clock, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// How often suspects are looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// One look at everything.
struct Pass<'a> {
    snapshot: Box<dyn AuditSnapshot>,
    counts: AuditCounts,
    findings: Findings,
    now: Timestamp,
    options: AuditOptions,
    progress: &'a mut (dyn FnMut(AuditProgress) + Send),
    told: Option<AuditProgress>,
}

impl<'a> Pass<'a> {
    async fn begin(
        store: &dyn Store,
        clock: &dyn Clock,
        options: AuditOptions,
        progress: &'a mut (dyn FnMut(AuditProgress) + Send),
    ) -> Result<Self, StoreError> {
        let snapshot = store.snapshot().await?;
        let (counts, findings) = (AuditCounts::default(), Findings::default());
        Ok(Self { snapshot, counts, findings, now: clock.now(), options, progress, told: None })
    }

    /// Tells how many rows were read, once a page.
    fn report(&mut self, table: &'static str, rows: u64) {
        let progress = AuditProgress { table, rows };
        if self.told != Some(progress) {
            self.told = Some(progress);
            (self.progress)(progress);
        }
    }
}

/// Checks A1 to A8 of everything that is stored, in pages, while others go on writing.
///
/// `progress` is told after each page how far it is. Without suspects it takes one pass; with some at most `options.settle` longer.
///
/// # Errors
/// Those of the store. A row that is no domain value at all is [`StoreError::Corrupt`].
pub async fn audit(
    store: &dyn Store,
    clock: &dyn Clock,
    options: AuditOptions,
    progress: &mut (dyn FnMut(AuditProgress) + Send),
) -> Result<AuditReport, StoreError> {
    let mut pass = Pass::begin(store, clock, options, progress).await?;
    balances::check(&mut pass).await?;
    let taken = shelves::check(&mut pass).await?;
    let held = orders::check(&mut pass).await?;
    shelves::compare(&mut pass, &taken, &held);
    issuance::check(&mut pass).await?;
    orphans::check(&mut pass).await?;
    delivery::check_events(&mut pass).await?;
    let Pass { counts, mut findings, snapshot, .. } = pass;
    // A snapshot keeps a connection, or old rows alive: not while waiting.
    drop(snapshot);

    let deadline = Instant::now() + options.settle;
    while findings.has_suspects() && Instant::now() < deadline {
        tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_EVERY)).await;
        let again = look_again(store, clock, options, &findings.suspects()).await?;
        findings.keep_what_persists(&again);
    }
    let (violations, omitted) = findings.into_violations();
    Ok(AuditReport { checked: counts, violations, omitted })
}

/// What a fresh snapshot says about suspects.
async fn look_again(store: &dyn Store, clock: &dyn Clock, options: AuditOptions, suspects: &[Suspect]) -> Result<Findings, StoreError> {
    let mut nobody = |_| {};
    let mut pass = Pass::begin(store, clock, options, &mut nobody).await?;
    orders::check_again(&mut pass, suspects).await?;
    coupon_use::check_again(&mut pass, suspects).await?;
    if suspects.iter().any(|suspect| matches!(suspect, Suspect::Event(_))) {
        delivery::check_events(&mut pass).await?;
    }
    Ok(pass.findings)
}

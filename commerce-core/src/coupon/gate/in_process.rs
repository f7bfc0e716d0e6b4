use super::turnstile::Turnstile;
use super::{CouponGate, GateCensus, GateError, GatePlace, GateRequest, GateVerdict, PendingPlace, Settlement};
use crate::coupon::Coupon;
use crate::{CouponId, Timestamp};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// A gate in the memory of this process. It starts with every coupon closed; clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct InProcessGate {
    turnstiles: Arc<RwLock<HashMap<CouponId, Arc<Mutex<Turnstile>>>>>,
}

fn locked(turnstile: &Mutex<Turnstile>) -> MutexGuard<'_, Turnstile> {
    turnstile.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InProcessGate {
    /// A gate that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, as a restart would.
    pub fn wipe(&self) {
        self.turnstiles.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn known(&self, coupon: CouponId) -> Option<Arc<Mutex<Turnstile>>> {
        self.turnstiles.read().unwrap_or_else(PoisonError::into_inner).get(&coupon).map(Arc::clone)
    }

    fn all(&self) -> Vec<(CouponId, Arc<Mutex<Turnstile>>)> {
        let turnstiles = self.turnstiles.read().unwrap_or_else(PoisonError::into_inner);
        turnstiles.iter().map(|(coupon, turnstile)| (*coupon, Arc::clone(turnstile))).collect()
    }
}

#[async_trait]
impl CouponGate for InProcessGate {
    async fn admit(&self, request: &GateRequest) -> Result<GateVerdict, GateError> {
        Ok(self.known(request.coupon_id).map_or(GateVerdict::Closed, |turnstile| locked(&turnstile).admit(request)))
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<(), GateError> {
        for settlement in settlements {
            if let Some(turnstile) = self.known(settlement.coupon_id) {
                locked(&turnstile).settle(settlement);
            }
        }
        Ok(())
    }

    async fn pending(&self, before: Timestamp, limit: usize) -> Result<Vec<PendingPlace>, GateError> {
        let mut pending = Vec::new();
        for (coupon, turnstile) in self.all() {
            pending.extend(locked(&turnstile).pending(coupon, before));
        }
        pending.sort_unstable_by_key(|place| (place.at, place.task_id));
        pending.truncate(limit);
        Ok(pending)
    }

    async fn close(&self, coupon: CouponId, fence: u64) -> Result<(), GateError> {
        let turnstile = {
            let mut turnstiles = self.turnstiles.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turnstiles.entry(coupon).or_default())
        };
        locked(&turnstile).close(fence);
        Ok(())
    }

    async fn load(&self, coupon: CouponId, fence: u64, places: &[GatePlace]) -> Result<bool, GateError> {
        Ok(self.known(coupon).is_some_and(|turnstile| locked(&turnstile).load(fence, places)))
    }

    async fn open(&self, coupon: &Coupon, fence: u64) -> Result<bool, GateError> {
        Ok(self.known(coupon.id).is_some_and(|turnstile| locked(&turnstile).open(coupon, fence)))
    }

    async fn census(&self, coupon: CouponId) -> Result<Option<GateCensus>, GateError> {
        Ok(self.known(coupon).and_then(|turnstile| locked(&turnstile).census()))
    }

    async fn retire(&self, before: Timestamp) -> Result<(), GateError> {
        self.turnstiles.write().unwrap_or_else(PoisonError::into_inner).retain(|_, turnstile| !locked(turnstile).is_over(before));
        Ok(())
    }
}

use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::coupon::{
    Coupon, CouponGate, GateCensus, GateError, GatePlace, GateRequest, GateVerdict, InProcessGate, PendingPlace, Settlement,
};
use commerce_core::{CouponId, Timestamp};
use std::sync::Arc;

/// The gate as one process sees it.
pub(crate) struct PluggedGate {
    pub(crate) inner: InProcessGate,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl CouponGate for PluggedGate {
    async fn admit(&self, request: &GateRequest) -> Result<GateVerdict, GateError> {
        self.plug.reach(Call::Gate, self.inner.admit(request)).await
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<(), GateError> {
        self.plug.reach(Call::Gate, self.inner.settle(settlements)).await
    }

    async fn pending(&self, before: Timestamp, limit: usize) -> Result<Vec<PendingPlace>, GateError> {
        self.plug.reach(Call::Gate, self.inner.pending(before, limit)).await
    }

    async fn close(&self, coupon: CouponId, fence: u64) -> Result<(), GateError> {
        self.plug.reach(Call::Gate, self.inner.close(coupon, fence)).await
    }

    async fn load(&self, coupon: CouponId, fence: u64, places: &[GatePlace]) -> Result<bool, GateError> {
        self.plug.reach(Call::Gate, self.inner.load(coupon, fence, places)).await
    }

    async fn open(&self, coupon: &Coupon, fence: u64) -> Result<bool, GateError> {
        self.plug.reach(Call::Gate, self.inner.open(coupon, fence)).await
    }

    async fn census(&self, coupon: CouponId) -> Result<Option<GateCensus>, GateError> {
        self.plug.reach(Call::Gate, self.inner.census(coupon)).await
    }

    async fn retire(&self, before: Timestamp) -> Result<(), GateError> {
        self.plug.reach(Call::Gate, self.inner.retire(before)).await
    }
}

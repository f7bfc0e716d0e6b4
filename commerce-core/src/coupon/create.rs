use super::{Coupon, CouponError, NewCoupon};
use crate::store::{Handler, StoreError, UnitOfWork};
use crate::{Clock, CouponId};
use async_trait::async_trait;
use std::sync::Arc;

/// Offers a coupon.
#[derive(Debug, Clone)]
pub struct CreateCoupon {
    /// The id it is to have.
    pub id: CouponId,
    /// What it is.
    pub coupon: NewCoupon,
}

/// The use case "create coupon".
pub struct CreateCoupons {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for CreateCoupons {
    type Command = CreateCoupon;
    type Verdict = Result<Coupon, CouponError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[CreateCoupon]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let verdicts: Vec<_> = batch.iter().map(|command| Coupon::create(command.id, command.coupon.clone(), now)).collect();
        let coupons: Vec<_> = verdicts.iter().flatten().cloned().collect();
        if !coupons.is_empty() {
            uow.coupons().insert(&coupons).await?;
        }
        Ok(verdicts)
    }
}

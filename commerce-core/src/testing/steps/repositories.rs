use super::Step;
use super::store::SteppedUnitOfWork;
use crate::coupon::{Coupon, CouponRepository, CouponRequest, Position, UserCoupon};
use crate::lock::{Fence, FenceRepository};
use crate::point::{NewPointEntry, PointAccount, PointRepository};
use crate::stock::{NewStockEntry, Reservation, Stock, StockQuantity, StockRepository};
use crate::store::StoreError;
use crate::{CouponId, Money, OptionId, OrderId, TaskId, UserCouponId, UserId};
use async_trait::async_trait;

impl SteppedUnitOfWork {
    async fn at(&mut self, step: Step) {
        self.steps.at(step).await;
    }
}

#[async_trait]
impl FenceRepository for SteppedUnitOfWork {
    async fn claim(&mut self, fences: &[Fence]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.fences().claim(fences).await
    }
}

#[async_trait]
impl PointRepository for SteppedUnitOfWork {
    async fn lock(&mut self, users: &[UserId]) -> Result<Vec<PointAccount>, StoreError> {
        self.at(Step::Read).await;
        self.inner.points().lock(users).await
    }

    async fn open(&mut self, accounts: &[PointAccount]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.points().open(accounts).await
    }

    async fn save(&mut self, accounts: &[PointAccount], entries: &[NewPointEntry]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.points().save(accounts, entries).await
    }

    async fn shift(&mut self, user: UserId, delta: i64) -> Result<Option<Money>, StoreError> {
        self.at(Step::Write).await;
        self.inner.points().shift(user, delta).await
    }
}

#[async_trait]
impl StockRepository for SteppedUnitOfWork {
    async fn lock(&mut self, options: &[OptionId]) -> Result<Vec<Stock>, StoreError> {
        self.at(Step::Read).await;
        self.inner.stock().lock(options).await
    }

    async fn open(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.stock().open(stock, entries).await
    }

    async fn save(&mut self, stock: &[Stock], entries: &[NewStockEntry]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.stock().save(stock, entries).await
    }

    async fn shift(&mut self, option: OptionId, delta: i64) -> Result<Option<StockQuantity>, StoreError> {
        self.at(Step::Write).await;
        self.inner.stock().shift(option, delta).await
    }

    async fn reservations(&mut self, orders: &[OrderId]) -> Result<Vec<Reservation>, StoreError> {
        self.at(Step::Read).await;
        self.inner.stock().reservations(orders).await
    }
}

#[async_trait]
impl CouponRepository for SteppedUnitOfWork {
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.coupons().insert(coupons).await
    }

    async fn lock(&mut self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
        self.at(Step::Read).await;
        self.inner.coupons().lock(ids).await
    }

    async fn take(&mut self, coupon: CouponId, count: u32) -> Result<bool, StoreError> {
        self.at(Step::Write).await;
        self.inner.coupons().take(coupon, count).await
    }

    async fn issue(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.coupons().issue(user_coupons).await
    }

    async fn lock_user_coupons(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        self.at(Step::Read).await;
        self.inner.coupons().lock_user_coupons(ids).await
    }

    async fn save_user_coupons(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.coupons().save_user_coupons(user_coupons).await
    }

    async fn insert_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.coupons().insert_requests(requests).await
    }

    async fn lock_requests(&mut self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError> {
        self.at(Step::Read).await;
        self.inner.coupons().lock_requests(tasks).await
    }

    async fn save_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError> {
        self.at(Step::Write).await;
        self.inner.coupons().save_requests(requests).await
    }

    async fn holders(&mut self, pairs: &[(CouponId, UserId)]) -> Result<Vec<(CouponId, UserId)>, StoreError> {
        self.at(Step::Read).await;
        self.inner.coupons().holders(pairs).await
    }

    async fn places_given(&mut self, places: &[(CouponId, Position)]) -> Result<Vec<(CouponId, Position)>, StoreError> {
        self.at(Step::Read).await;
        self.inner.coupons().places_given(places).await
    }

    async fn last_place(&mut self, coupon: CouponId) -> Result<Option<Position>, StoreError> {
        self.at(Step::Read).await;
        self.inner.coupons().last_place(coupon).await
    }
}

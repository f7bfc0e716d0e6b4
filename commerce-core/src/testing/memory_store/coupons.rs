use super::State;
use super::state::{duplicate, insert_new, pick};
use crate::coupon::{Coupon, CouponRepository, CouponRequest, Position, UserCoupon};
use crate::store::StoreError;
use crate::{CouponId, TaskId, UserCouponId, UserId};
use async_trait::async_trait;

#[async_trait]
impl CouponRepository for State {
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        coupons.iter().try_for_each(|coupon| insert_new(&mut self.coupons, coupon.id, coupon.clone(), "coupon"))
    }

    async fn lock(&mut self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
        Ok(pick(&self.coupons, ids))
    }

    async fn take(&mut self, coupon: CouponId, count: u32) -> Result<bool, StoreError> {
        self.begin_to_write().await?;
        let left = |coupon: &Coupon| coupon.initial_stock.saturating_sub(coupon.issued);
        let coupon = self.coupons.get_mut(&coupon).filter(|coupon| left(coupon) >= count);
        Ok(coupon.map(|coupon| coupon.issued += count).is_some())
    }

    async fn issue(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for held in user_coupons {
            if self.user_coupon_by_holder.insert((held.user_id, held.coupon_id), held.id).is_some() {
                return Err(duplicate("user coupon of a user"));
            }
            if self.user_coupon_by_position.insert((held.coupon_id, held.position), held.id).is_some() {
                return Err(duplicate("position of a user coupon"));
            }
            self.user_coupon_by_task.insert(held.task_id, held.id);
            insert_new(&mut self.user_coupons, held.id, held.clone(), "user coupon")?;
        }
        Ok(())
    }

    async fn lock_user_coupons(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        pick(&self.user_coupons, ids).into_iter().map(|held| self.with_coupon(held)).collect()
    }

    async fn save_user_coupons(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for held in user_coupons {
            self.user_coupons.get_mut(&held.id).ok_or(StoreError::Conflict)?.state = held.state;
        }
        Ok(())
    }

    async fn insert_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        let table = &mut self.coupon_requests;
        requests.iter().try_for_each(|request| insert_new(table, request.task_id, request.clone(), "request for a coupon"))
    }

    async fn lock_requests(&mut self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError> {
        Ok(pick(&self.coupon_requests, tasks))
    }

    async fn save_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for request in requests {
            let stored = self.coupon_requests.get_mut(&request.task_id).ok_or(StoreError::Conflict)?;
            (stored.position, stored.outcome) = (request.position, request.outcome);
        }
        Ok(())
    }

    async fn holders(&mut self, pairs: &[(CouponId, UserId)]) -> Result<Vec<(CouponId, UserId)>, StoreError> {
        Ok(pairs.iter().copied().filter(|&(coupon, user)| self.user_coupon_by_holder.contains_key(&(user, coupon))).collect())
    }

    async fn places_given(&mut self, places: &[(CouponId, Position)]) -> Result<Vec<(CouponId, Position)>, StoreError> {
        Ok(places.iter().copied().filter(|place| self.user_coupon_by_position.contains_key(place)).collect())
    }

    async fn last_place(&mut self, coupon: CouponId) -> Result<Option<Position>, StoreError> {
        let last = Position::new(u32::MAX).map(|last| (coupon, last));
        let before = last.and_then(|last| self.user_coupon_by_position.get_prev(&last));
        Ok(before.map(|((of, place), _)| (*of, *place)).filter(|(of, _)| *of == coupon).map(|(_, place)| place))
    }
}

impl State {
    pub(super) fn with_coupon(&self, held: UserCoupon) -> Result<(UserCoupon, Coupon), StoreError> {
        match self.coupons.get(&held.coupon_id) {
            Some(coupon) => Ok((held, coupon.clone())),
            None => Err(StoreError::Corrupt(format!("user coupon {} is of coupon {}, which does not exist", held.id, held.coupon_id))),
        }
    }
}

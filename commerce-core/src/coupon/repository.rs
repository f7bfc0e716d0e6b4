use super::{Coupon, CouponRequest, Position, UserCoupon};
use crate::store::StoreError;
use crate::{CouponId, TaskId, UserCouponId, UserId};
use async_trait::async_trait;

/// The coupons of a unit of work.
#[async_trait]
pub trait CouponRepository: Send {
    /// Adds coupons.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an id exists.
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError>;

    /// These coupons, locked until the unit of work ends, in ascending id order; unknown ids are left out.
    async fn lock(&mut self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError>;

    /// Counts `count` more of a coupon as issued, by one statement, if as many are left; `false`, and nothing is changed, if they are not, or if there
    /// is no such coupon. The row is locked from then on.
    async fn take(&mut self, coupon: CouponId, count: u32) -> Result<bool, StoreError>;

    /// Puts coupons into users' hands.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an id, a (user, coupon) or a (coupon, position) exists.
    async fn issue(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError>;

    /// These user coupons, locked until the unit of work ends, each with its coupon, in ascending id order; unknown ids are left out.
    async fn lock_user_coupons(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError>;

    /// Writes the state of these user coupons.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] if one of them does not exist.
    async fn save_user_coupons(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError>;

    /// Adds requests for coupons.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if a task exists.
    async fn insert_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError>;

    /// These requests, locked until the unit of work ends, in ascending order of their tasks; unknown tasks are left out.
    async fn lock_requests(&mut self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError>;

    /// Writes the position and the outcome of these requests.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] if one of them does not exist.
    async fn save_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError>;

    /// Which of these users hold which of these coupons: all that is issued of any of the pairs, in any order.
    async fn holders(&mut self, pairs: &[(CouponId, UserId)]) -> Result<Vec<(CouponId, UserId)>, StoreError>;

    /// Which of these places are given, in any order.
    async fn places_given(&mut self, places: &[(CouponId, Position)]) -> Result<Vec<(CouponId, Position)>, StoreError>;

    /// The last place that is given of a coupon; `None` if none is.
    async fn last_place(&mut self, coupon: CouponId) -> Result<Option<Position>, StoreError>;
}

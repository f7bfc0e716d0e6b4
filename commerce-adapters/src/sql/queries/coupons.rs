use super::page_rows;
use crate::sql::statements::{fetch, select_in};
use crate::sql::{Backend, Link, coupons};
use commerce_core::coupon::{Coupon, UserCoupon};
use commerce_core::store::{CouponPage, Page, PageLimit, StoreError};
use commerce_core::{CouponId, TaskId, UserCouponId, UserId};
use sqlx::QueryBuilder;

pub(super) async fn coupons_by_id<DB: Backend>(link: &mut dyn Link<DB>, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
    let head = format!("SELECT {} FROM coupons WHERE id IN", coupons::COLUMNS);
    select_in(link, &head, ids.iter().map(|id| id.get()), " ORDER BY id", coupons::read).await
}

pub(super) async fn coupons<DB: Backend>(
    link: &mut dyn Link<DB>,
    after: Option<CouponId>,
    limit: PageLimit,
) -> Result<CouponPage, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(coupons::COLUMNS).push(" FROM coupons WHERE id > ").push_bind(after.map_or(0, i64::from));
    query.push(" ORDER BY id LIMIT ").push_bind(page_rows(limit));
    Ok(Page::cut(fetch(link, query, coupons::read).await?, limit, |coupon| coupon.id))
}

pub(super) async fn user_coupons<DB: Backend>(link: &mut dyn Link<DB>, user: UserId) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
    let mut query = QueryBuilder::<DB>::new(coupons::SELECT_PAIRS);
    query.push(" WHERE h.user_id = ").push_bind(user.get()).push(" ORDER BY h.id");
    fetch(link, query, coupons::read_pair).await
}

pub(super) async fn user_coupon_of_task<DB: Backend>(link: &mut dyn Link<DB>, task: TaskId) -> Result<Option<UserCoupon>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(coupons::HELD_COLUMNS).push(" FROM user_coupons WHERE task_id = ").push_bind(task.get());
    Ok(fetch(link, query, coupons::read_held).await?.pop())
}

pub(super) async fn issued_of<DB: Backend>(
    link: &mut dyn Link<DB>,
    coupon: CouponId,
    after: Option<UserCouponId>,
    limit: u32,
) -> Result<Vec<UserCoupon>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(coupons::HELD_COLUMNS).push(" FROM user_coupons").push(DB::by_index("user_coupons_coupon"));
    query.push(" WHERE coupon_id = ").push_bind(coupon.get());
    query.push(" AND id > ").push_bind(after.map_or(0, i64::from)).push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
    fetch(link, query, coupons::read_held).await
}

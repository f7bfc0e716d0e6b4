use super::coupon_requests;
use super::statements::{Guard, Update, VALUES_MAX, by_key, execute, fetch, insert, push_list, select_in, update};
use super::{Backend, Fields, Link, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::coupon::{
    Coupon, CouponName, CouponRepository, CouponRequest, Discount, DiscountKind, Position, UserCoupon, UserCouponState, UserCouponStatus,
};
use commerce_core::store::StoreError;
use commerce_core::{CouponId, TaskId, UserCouponId, UserId};
use sqlx::QueryBuilder;
use std::collections::{BTreeMap, HashMap};

pub(super) const COLUMNS: &str = "id, name, discount_kind, discount_value, initial_stock, issued, opens_at, expires_at, created_at";
pub(super) const HELD_COLUMNS: &str = "id, user_id, coupon_id, place, task_id, issued_at, used_at, order_id";
/// Selects user coupons with their coupons, up to the WHERE; read by [`read_pair`].
pub(super) const SELECT_PAIRS: &str = "SELECT h.id, h.user_id, h.coupon_id, h.place, h.task_id, h.issued_at, h.used_at, h.order_id, \
     c.id, c.name, c.discount_kind, c.discount_value, c.initial_stock, c.issued, c.opens_at, c.expires_at, c.created_at \
     FROM user_coupons h JOIN coupons c ON c.id = h.coupon_id";
const SAVE_HELD: Update = Update { table: "user_coupons", key: "id", columns: &["status", "used_at", "order_id"], guard: Guard::Exists };

/// Reads [`COLUMNS`].
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Coupon, StoreError> {
    let id = row.whole()?;
    let name = row.parsed(CouponName::parse)?;
    let kind = row.word(DiscountKind::parse)?;
    let discount = Discount::new(kind, row.int()?).map_err(corrupt)?;
    Ok(Coupon {
        id,
        name,
        discount,
        initial_stock: row.whole()?,
        issued: row.whole()?,
        opens_at: row.opt_at()?,
        expires_at: row.at()?,
        created_at: row.at()?,
    })
}

/// Reads the number of a place.
pub(super) fn read_position<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Position, StoreError> {
    Position::new(row.whole()?).ok_or_else(|| corrupt("a position of zero"))
}

/// Reads [`HELD_COLUMNS`].
pub(super) fn read_held<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<UserCoupon, StoreError> {
    let id = row.whole()?;
    let user_id = row.whole()?;
    let coupon_id = row.whole()?;
    let position = read_position(row)?;
    let task_id = row.whole()?;
    let issued_at = row.at()?;
    let state = match (row.opt_at()?, row.opt_whole()?) {
        (Some(at), Some(order_id)) => UserCouponState::Used { order_id, at },
        _ => UserCouponState::Issued,
    };
    Ok(UserCoupon { id, user_id, coupon_id, state, position, task_id, issued_at })
}

/// Reads what [`SELECT_PAIRS`] selects.
pub(super) fn read_pair<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<(UserCoupon, Coupon), StoreError> {
    Ok((read_held(row)?, read(row)?))
}

/// The columns of a state: `status`, `used_at` and `order_id`.
fn state_columns(state: UserCouponState) -> (&'static str, Option<i64>, Option<i64>) {
    match state {
        UserCouponState::Issued => (UserCouponStatus::Issued.as_str(), None, None),
        UserCouponState::Used { order_id, at } => (UserCouponStatus::Used.as_str(), Some(at.millis()), Some(order_id.get())),
    }
}

/// Selects what was issued by pairs of a coupon and a number in `column`: one statement for each coupon, of which a batch has few.
async fn select_issued<DB: Backend, T: Send>(
    link: &mut dyn Link<DB>,
    column: &str,
    pairs: impl Iterator<Item = (CouponId, i64)> + Send,
    mut read: impl FnMut(&mut Fields<'_, DB>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    let mut by_coupon = BTreeMap::<CouponId, Vec<i64>>::new();
    for (coupon, value) in pairs {
        by_coupon.entry(coupon).or_default().push(value);
    }
    let mut found = Vec::new();
    for (coupon, values) in &by_coupon {
        for piece in values.chunks(VALUES_MAX) {
            let mut query = QueryBuilder::<DB>::new(format!("SELECT coupon_id, {column} FROM user_coupons WHERE coupon_id = "));
            query.push_bind(coupon.get()).push(format_args!(" AND {column} IN"));
            push_list(&mut query, piece);
            found.append(&mut fetch(link, query, &mut read).await?);
        }
    }
    Ok(found)
}

#[async_trait]
impl<DB: Backend> CouponRepository for SqlUnitOfWork<DB> {
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError> {
        let added = insert(self.link(), "coupons", COLUMNS, coupons, |mut row, coupon| {
            row.push_bind(coupon.id.get());
            row.push_bind(coupon.name.as_str().to_owned());
            row.push_bind(coupon.discount.kind().as_str());
            row.push_bind(coupon.discount.value());
            row.push_bind(i64::from(coupon.initial_stock));
            row.push_bind(i64::from(coupon.issued));
            row.push_bind(coupon.opens_at.map(commerce_core::Timestamp::millis));
            row.push_bind(coupon.expires_at.millis());
            row.push_bind(coupon.created_at.millis());
        });
        added.await.map(drop)
    }

    async fn lock(&mut self, ids: &[CouponId]) -> Result<Vec<Coupon>, StoreError> {
        let (head, tail) =
            (format!("SELECT {COLUMNS} FROM coupons{} WHERE id IN", by_key::<DB>()), format!(" ORDER BY id{}", self.for_update()));
        select_in(self.link(), &head, ids.iter().map(|id| id.get()), &tail, read).await
    }

    async fn take(&mut self, coupon: CouponId, count: u32) -> Result<bool, StoreError> {
        let mut take = QueryBuilder::<DB>::new("UPDATE coupons SET issued = issued + ");
        take.push_bind(i64::from(count)).push(" WHERE id = ").push_bind(coupon.get());
        take.push(" AND initial_stock - issued >= ").push_bind(i64::from(count));
        Ok(execute(self.link(), take).await? == 1)
    }

    async fn issue(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
        let columns = "id, user_id, coupon_id, place, task_id, issued_at, status, used_at, order_id";
        let added = insert(self.link(), "user_coupons", columns, user_coupons, |mut row, held| {
            let (status, used_at, order_id) = state_columns(held.state);
            row.push_bind(held.id.get());
            row.push_bind(held.user_id.get());
            row.push_bind(held.coupon_id.get());
            row.push_bind(i64::from(held.position.get()));
            row.push_bind(held.task_id.get());
            row.push_bind(held.issued_at.millis());
            row.push_bind(status);
            row.push_bind(used_at);
            row.push_bind(order_id);
        });
        added.await.map(drop)
    }

    async fn lock_user_coupons(&mut self, ids: &[UserCouponId]) -> Result<Vec<(UserCoupon, Coupon)>, StoreError> {
        let (head, tail) = (
            format!("SELECT {HELD_COLUMNS} FROM user_coupons{} WHERE id IN", by_key::<DB>()),
            format!(" ORDER BY id{}", self.for_update()),
        );
        let user_coupons = select_in(self.link(), &head, ids.iter().map(|id| id.get()), &tail, read_held).await?;
        // A join would lock the coupons as well, which everybody who has one shares.
        let head = format!("SELECT {COLUMNS} FROM coupons WHERE id IN");
        let coupons = select_in(self.link(), &head, user_coupons.iter().map(|held| held.coupon_id.get()), "", read).await?;
        let coupons: HashMap<CouponId, Coupon> = coupons.into_iter().map(|coupon| (coupon.id, coupon)).collect();
        let pair = |held: UserCoupon| coupons.get(&held.coupon_id).cloned().map(|coupon| (held, coupon));
        Ok(user_coupons.into_iter().filter_map(pair).collect())
    }

    async fn save_user_coupons(&mut self, user_coupons: &[UserCoupon]) -> Result<(), StoreError> {
        let updated = update(self.link(), &SAVE_HELD, user_coupons, |held| {
            let (status, used_at, order_id) = state_columns(held.state);
            [held.id.get().into(), status.into(), used_at.into(), order_id.into()]
        });
        updated.await
    }
    async fn insert_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError> {
        coupon_requests::insert::<DB>(self.link(), requests).await
    }

    async fn lock_requests(&mut self, tasks: &[TaskId]) -> Result<Vec<CouponRequest>, StoreError> {
        let for_update = self.for_update();
        coupon_requests::by_task::<DB>(self.link(), tasks, for_update).await
    }

    async fn save_requests(&mut self, requests: &[CouponRequest]) -> Result<(), StoreError> {
        coupon_requests::save::<DB>(self.link(), requests).await
    }

    async fn holders(&mut self, pairs: &[(CouponId, UserId)]) -> Result<Vec<(CouponId, UserId)>, StoreError> {
        let pairs = pairs.iter().map(|(coupon, user)| (*coupon, user.get()));
        select_issued(self.link(), "user_id", pairs, |row| Ok((row.whole()?, row.whole()?))).await
    }

    async fn places_given(&mut self, places: &[(CouponId, Position)]) -> Result<Vec<(CouponId, Position)>, StoreError> {
        let places = places.iter().map(|(coupon, position)| (*coupon, i64::from(position.get())));
        select_issued(self.link(), "place", places, |row| Ok((row.whole()?, read_position(row)?))).await
    }

    async fn last_place(&mut self, coupon: CouponId) -> Result<Option<Position>, StoreError> {
        let mut query = QueryBuilder::<DB>::new("SELECT place FROM user_coupons WHERE coupon_id = ");
        query.push_bind(coupon.get()).push(" ORDER BY place DESC LIMIT 1");
        Ok(fetch(self.link(), query, read_position).await?.pop())
    }
}

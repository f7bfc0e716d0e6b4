//! Requests for coupons, from their admission to their outcome.

use super::coupons::read_position;
use super::statements::{self, Guard, Update, by_key, fetch, select_in, update};
use super::{Backend, Fields, Link};
use crate::sql::fields::corrupt;
use commerce_core::TaskId;
use commerce_core::coupon::{CouponRequest, RequestOutcome};
use commerce_core::store::StoreError;
use sqlx::QueryBuilder;

pub(super) const COLUMNS: &str = "task_id, coupon_id, user_id, user_coupon_id, place, admitted_at, failure, decided_at";
const SAVE: Update =
    Update { table: "coupon_requests", key: "task_id", columns: &["place", "status", "failure", "decided_at"], guard: Guard::Exists };

/// Reads [`COLUMNS`].
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<CouponRequest, StoreError> {
    Ok(CouponRequest {
        task_id: row.whole()?,
        coupon_id: row.whole()?,
        user_id: row.whole()?,
        user_coupon_id: row.whole()?,
        position: read_position(row)?,
        admitted_at: row.at()?,
        outcome: match (row.opt_code()?, row.opt_at()?) {
            (None, None) => RequestOutcome::Pending,
            (None, Some(at)) => RequestOutcome::Issued { at },
            (Some(code), Some(at)) => RequestOutcome::Failed { code, at },
            (Some(_), None) => return Err(corrupt("a request that failed at no time")),
        },
    })
}

/// The columns of an outcome: `status`, `failure` and `decided_at`.
fn outcome_columns(outcome: RequestOutcome) -> (&'static str, Option<String>, Option<i64>) {
    match outcome {
        RequestOutcome::Pending => ("PENDING", None, None),
        RequestOutcome::Issued { at } => ("ISSUED", None, Some(at.millis())),
        RequestOutcome::Failed { code, at } => ("FAILED", Some(code.as_str().to_owned()), Some(at.millis())),
    }
}

/// Adds requests.
pub(super) async fn insert<DB: Backend>(link: &mut dyn Link<DB>, requests: &[CouponRequest]) -> Result<(), StoreError> {
    let columns = "task_id, coupon_id, user_id, user_coupon_id, place, admitted_at, status, failure, decided_at";
    let added = statements::insert(link, "coupon_requests", columns, requests, |mut row, request| {
        let (status, failure, decided_at) = outcome_columns(request.outcome);
        row.push_bind(request.task_id.get());
        row.push_bind(request.coupon_id.get());
        row.push_bind(request.user_id.get());
        row.push_bind(request.user_coupon_id.get());
        row.push_bind(i64::from(request.position.get()));
        row.push_bind(request.admitted_at.millis());
        row.push_bind(status);
        row.push_bind(failure);
        row.push_bind(decided_at);
    });
    added.await.map(drop)
}

/// Requests by their tasks, ascending; `lock` stands behind the SELECT.
pub(super) async fn by_task<DB: Backend>(link: &mut dyn Link<DB>, tasks: &[TaskId], lock: &str) -> Result<Vec<CouponRequest>, StoreError> {
    let (head, tail) =
        (format!("SELECT {COLUMNS} FROM coupon_requests{} WHERE task_id IN", by_key::<DB>()), format!(" ORDER BY task_id{lock}"));
    select_in(link, &head, tasks.iter().map(|task| task.get()), &tail, read).await
}

/// Requests that are not decided: a page of them, ascending by task.
pub(super) async fn pending<DB: Backend>(
    link: &mut dyn Link<DB>,
    after: Option<TaskId>,
    limit: u32,
) -> Result<Vec<CouponRequest>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(COLUMNS).push(" FROM coupon_requests").push(DB::by_index("coupon_requests_pending"));
    query.push(" WHERE status = 'PENDING' AND task_id > ").push_bind(after.map_or(0, i64::from));
    query.push(" ORDER BY task_id LIMIT ").push_bind(i64::from(limit));
    fetch(link, query, read).await
}

/// Writes the positions and the outcomes of requests.
pub(super) async fn save<DB: Backend>(link: &mut dyn Link<DB>, requests: &[CouponRequest]) -> Result<(), StoreError> {
    let updated = update(link, &SAVE, requests, |request| {
        let (status, failure, decided_at) = outcome_columns(request.outcome);
        [request.task_id.get().into(), request.position.get().into(), status.into(), failure.into(), decided_at.into()]
    });
    updated.await
}

use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::envelope::{respond, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{Carried, Change, HeldKey, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::prefer::{Patience, Prefer};
use super::super::query::RawQuery;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use commerce_core::coupon::{CouponRequest, GateRefusal, RequestCoupon};
use commerce_core::idempotency::StoredAnswer;
use commerce_core::notify::TaskUpdate;
use commerce_core::store::StoreError;
use commerce_core::{AdmissionError, CouponId, ErrorCode, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A coupon to ask for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct PublishCouponRequest {
    /// Who asks.
    #[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    user_id: UserId,
    /// The coupon.
    #[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    coupon_id: CouponId,
}

/// A request for a coupon that has a place.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct AdmittedData {
    /// Names the request: ask for its outcome with it.
    task_id: i64,
}

/// A request for a coupon, after some waiting.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct AwaitedData {
    /// Names the request.
    task_id: i64,
    /// `PENDING`, `SUCCESS` or `FAIL`.
    #[schema(example = "SUCCESS")]
    status: &'static str,
}

/// What the desk says to a request.
type Asked = Result<CouponRequest, GateRefusal>;

fn admitted(request: &CouponRequest) -> StoredAnswer {
    success(StatusCode::ACCEPTED, &AdmittedData { task_id: request.task_id.get() })
}

/// Asks for a coupon. This is what a rush is made of: without an idempotency key, who is refused by the gate costs the store nothing.
pub(super) async fn publish(
    State(shop): State<Shop>,
    caller: Caller,
    Prefer(patience): Prefer,
    query: RawQuery,
    change: Change<PublishCouponRequest>,
) -> Outcome {
    query.read(&[])?;
    let PublishCouponRequest { user_id, coupon_id } = change.body;
    caller.must_act_for(user_id)?;
    let (asked, key) = match change.claim(&shop, caller)? {
        None => {
            // Nothing is waited for in between: what has a place is at the desk before the client can be gone.
            let admission = Ok(shop.commerce.admit(user_id, coupon_id).await?);
            let command = RequestCoupon { admission, trace_parent: change.trace_parent };
            (carry_out(&shop.commerce.desks().request_coupon, command, None, admitted).await?, None)
        }
        Some(key) => {
            // The gate must not be asked again for a request that has its answer: it would refuse the repetition.
            if let Some(replayed) = key.replay(&shop).await? {
                return Ok(again(replayed, patience));
            }
            let asking = ask_under(Arc::clone(&shop), key, user_id, coupon_id, change.trace_parent);
            // In a task of its own: a client that leaves must not let go of the key before its answer is stored.
            let (asked, key) = tokio::spawn(asking).await.map_err(|error| {
                tracing::error!(%error, "a request for a coupon did not come to its end");
                Failure::internal()
            })??;
            (asked, Some(key))
        }
    };
    match asked {
        Carried::Fresh(Ok(request), response) => match patience {
            Some(patience) => Ok(decided(&shop, &request, response, patience, key.as_ref()).await),
            None => Ok(response),
        },
        Carried::Replayed(replayed) => Ok(again(replayed, patience)),
        refused @ Carried::Fresh(Err(_), _) => Ok(refused.into_response()),
    }
}

/// Asks under a key, which is given back with the answer. A request that was given a place before is handed in again: the gate, if it were
/// asked, would refuse it as a repetition.
async fn ask_under(
    shop: Shop,
    key: HeldKey,
    user_id: UserId,
    coupon_id: CouponId,
    trace_parent: Option<String>,
) -> Outcome<(Carried<Asked>, HeldKey)> {
    let admission = match shop.admissions.of(key.claim()) {
        Some(admitted) => Ok(admitted),
        None => match shop.commerce.admit(user_id, coupon_id).await {
            Ok(admitted) => Ok(admitted),
            Err(AdmissionError::Refused(refusal)) if is_lasting(refusal) => Err(refusal),
            Err(error) => return Err(error.into()),
        },
    };
    let command = RequestCoupon { admission, trace_parent };
    let asked = carry_out(&shop.commerce.desks().request_coupon, command, Some(&key), admitted).await;
    match (&asked, admission) {
        (Err(_), Ok(admitted)) => shop.admissions.remember(key.claim(), admitted),
        (Err(_), Err(_)) => {}
        (Ok(_), _) => shop.admissions.forget(key.claim()),
    }
    Ok((asked?, key))
}

fn again(replayed: Response, patience: Option<Patience>) -> Response {
    match patience {
        Some(patience) => patience.applied_again(replayed),
        None => replayed,
    }
}

/// Whether a refusal is kept under a key.
const fn is_lasting(refusal: GateRefusal) -> bool {
    !matches!(refusal, GateRefusal::TooManyRequests { .. })
}

/// Waits until the request is decided, and answers with where it stands then; with what was known before if that cannot be found out.
async fn decided(shop: &Shop, request: &CouponRequest, accepted: Response, patience: Patience, key: Option<&HeldKey>) -> Response {
    let update = match wait(shop, request, patience).await {
        Ok(update) => update,
        Err(error) => {
            // The request has its place whatever became of the waiting: a failure to look must not read as a failure to ask.
            tracing::warn!(%error, task_id = %request.task_id, "could not wait for a coupon");
            return patience.applied(accepted);
        }
    };
    let answer = success(StatusCode::OK, &AwaitedData { task_id: request.task_id.get(), status: update.status.as_str() });
    if let Some(key) = key
        && let Err(error) = key.keep(shop, answer.clone()).await
    {
        tracing::warn!(%error, task_id = %request.task_id, "the answer to be replayed stays the first one");
        return patience.applied(accepted);
    }
    patience.applied(respond(answer))
}

/// Where the request stands once it is decided, or when patience or the server comes to its end.
async fn wait(shop: &Shop, request: &CouponRequest, patience: Patience) -> Result<TaskUpdate, Arc<StoreError>> {
    tokio::select! {
        biased;
        update = shop.commerce.task_once_decided(request, patience.duration()) => update,
        () = shop.shutdown.cancelled() => Ok(TaskUpdate::of(request)),
    }
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::post("/api/coupons/publish", "coupons", "Asks for a coupon, first come, first served.")
        .with_token()
        .takes::<PublishCouponRequest>(document)
        .idempotent()
        .waits_until("the request is decided")
        .header("traceparent", "The W3C trace the request belongs to.")
        .answers::<AdmittedData>(StatusCode::ACCEPTED, document)
        .answers::<AwaitedData>(StatusCode::OK, document)
        .with("Preference-Applied", "The wait that was granted.")
        .refuses(&[
            ErrorCode::TooManyRequests,
            ErrorCode::InactiveCoupon,
            ErrorCode::ExpiredCoupon,
            ErrorCode::DuplicatedCoupon,
            ErrorCode::OutOfStockCoupon,
        ])
        .add_to(document);
}

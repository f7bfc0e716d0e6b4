use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::envelope::{json_wanted, ok};
use super::super::event_stream::{Story, event_stream};
use super::super::failure::{Failure, Outcome};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use commerce_core::coupon::Position;
use commerce_core::notify::TaskUpdate;
use commerce_core::store::StoreError;
use commerce_core::{ErrorCode, TaskId, TaskWatch};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What became of a request for a coupon.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct CouponStatusData {
    /// Names the request.
    task_id: i64,
    /// `SUCCESS` or `FAIL`; `PENDING` only where the present state is asked for.
    #[schema(example = "SUCCESS")]
    status: &'static str,
    /// The same as a sentence.
    message: String,
    /// When the coupon was issued, in UTC.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
    /// The user's place in the rush, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    /// Why the coupon was not issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

impl CouponStatusData {
    fn of(update: TaskUpdate) -> Self {
        let TaskUpdate { task_id, status, message, issued_at, position, error_code } = update;
        let (position, error_code) = (position.map(Position::get), error_code.map(ErrorCode::as_str));
        Self { task_id: task_id.get(), status: status.as_str(), message, issued_at, position, error_code }
    }
}

/// Tells what became of a request: by an event that comes once it is known, or as it stands now if the client asks for JSON.
///
/// A client that comes back is told again, whatever its `Last-Event-ID` says: the only event there is is the outcome, and being told it twice is
/// better than not at all.
pub(super) async fn show(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(id): PathId<TaskId>,
    query: RawQuery,
    headers: HeaderMap,
) -> Outcome {
    query.read(&[])?;
    let unknown = || Failure::new(ErrorCode::ResourceNotFound, format_args!("there is no request {id} for a coupon that you may see"));
    let request = shop.commerce.coupon_request(id, caller.actor).await?.ok_or_else(unknown)?;
    let present = TaskUpdate::of(&request);
    if json_wanted(&headers) {
        return Ok(ok(&CouponStatusData::of(present)));
    }
    let seat = shop.event_streams.seat(caller)?;
    let watch = shop.commerce.watch_task(id).await;
    Ok(event_stream(&shop, seat, Outcomes { watch, told: false }))
}

/// The story of a request: it has one event.
struct Outcomes {
    watch: TaskWatch,
    told: bool,
}

impl Story for Outcomes {
    async fn next_event(&mut self) -> Result<Option<Event>, Arc<StoreError>> {
        if self.told {
            return Ok(None);
        }
        let outcome = self.watch.outcome().await?;
        self.told = true;
        Ok(outcome.map(event))
    }
}

fn event_id(update: &TaskUpdate) -> String {
    format!("{}-{}", update.task_id, update.status.as_str())
}

fn event(update: TaskUpdate) -> Event {
    let event = Event::default().event("coupon-status").id(event_id(&update));
    event.data(serde_json::to_string(&CouponStatusData::of(update)).unwrap_or_default())
}

pub(in super::super) fn document(document: &mut Document) {
    let summary = "Tells what became of a request for a coupon, at once if it is known, else when it happens.";
    Operation::get("/api/coupons/publish/status/{taskId}", "coupons", summary)
        .with_token()
        .header("Accept", "application/json asks for the present state instead of a stream.")
        .header("Last-Event-ID", "Taken, and of no consequence: the one event there is is told again.")
        .streams_or_answers::<CouponStatusData>("coupon-status", document)
        .refuses(&[ErrorCode::ResourceNotFound])
        .add_to(document);
}

use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::failure::{Failure, Outcome};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use commerce_core::notify::OrderUpdate;
use commerce_core::order::OrderError;
use commerce_core::{ErrorCode, OrderId, OrderWatch};
use futures_util::stream;
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

/// When a client whose stream was ended by us is to come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What happened to an order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct OrderStatusData {
    /// The order's id.
    id: i64,
    /// Where it stands.
    #[schema(example = "AWAITING_PAYMENT")]
    status: &'static str,
    /// What is to be paid, or was, in KRW.
    total_price: i64,
    /// The step that failed the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'static str>,
    /// Since when it stands there, in UTC.
    #[schema(format = DateTime)]
    at: String,
}

impl OrderStatusData {
    fn of(update: &OrderUpdate) -> Self {
        Self {
            id: update.id.get(),
            status: update.status.as_str(),
            total_price: update.total_price.krw(),
            failure_code: update.failure_code.map(ErrorCode::as_str),
            at: update.at.to_string(),
        }
    }
}

/// Streams the changes of an order. A client that comes back is told the present state at once, whatever its `Last-Event-ID`: an order goes
/// through each state once, so that nothing but the present one matters.
pub(super) async fn stream(State(shop): State<Shop>, caller: Caller, PathId(id): PathId<OrderId>, query: RawQuery) -> Outcome {
    query.read(&[])?;
    shop.commerce.order(id, caller.actor).await?.ok_or(OrderError::NotFound(id))?;
    let permit = shop.event_streams.clone().try_acquire_owned().map_err(|_full| {
        Failure::new(
            ErrorCode::Overloaded,
            "too many event streams are open: try again in a second, or ask for the order with Prefer: wait=30",
        )
    })?;
    let watch = shop.commerce.watch_order(id).await?;
    let heartbeat = KeepAlive::new().interval(shop.limits.heartbeat_every).text("still here");
    let following = Following { shop, watch, _permit: permit };
    Ok(Sse::new(stream::unfold(Some(following), next_event)).keep_alive(heartbeat).into_response())
}

/// A client that follows an order.
struct Following {
    shop: Shop,
    watch: OrderWatch,
    _permit: OwnedSemaphorePermit,
}

type Step = Option<(Result<Event, Infallible>, Option<Following>)>;

async fn next_event(following: Option<Following>) -> Step {
    let mut following = following?;
    let update = tokio::select! {
        biased;
        update = following.watch.next() => update,
        () = following.shop.shutdown.cancelled() => return Some((Ok(farewell()), None)),
    };
    match update {
        Ok(Some(update)) => Some((Ok(event(&update)), Some(following))),
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(%error, "an order cannot be watched any more");
            Some((Ok(farewell()), None))
        }
    }
}

fn event(update: &OrderUpdate) -> Event {
    let id = format!("{}-{}", update.id, update.status);
    let data = serde_json::to_string(&OrderStatusData::of(update)).unwrap_or_default();
    Event::default().event("order-status").id(id).data(data)
}

/// The client is to come back: the order is not at its end yet.
fn farewell() -> Event {
    Event::default().retry(RETRY_AFTER)
}

pub(in super::super) fn document(document: &mut Document) {
    let description = "The last event the client was told of. The present state comes first in any case.";
    Operation::get("/api/orders/{orderId}/events", "orders", "Streams the changes of an order until it is paid or has ended.")
        .with_token()
        .header("Last-Event-ID", description)
        .streams::<OrderStatusData>("order-status", document)
        .refuses(&[ErrorCode::ResourceNotFound])
        .add_to(document);
}

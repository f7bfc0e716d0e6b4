use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::event_stream::{Story, event_stream};
use super::super::failure::Outcome;
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use axum::extract::State;
use axum::response::sse::Event;
use commerce_core::notify::OrderUpdate;
use commerce_core::order::OrderError;
use commerce_core::store::StoreError;
use commerce_core::{ErrorCode, OrderId, OrderWatch};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

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
    let seat = shop.event_streams.seat(caller)?;
    let watch = shop.commerce.watch_order(id).await;
    Ok(event_stream(&shop, seat, watch))
}

impl Story for OrderWatch {
    async fn next_event(&mut self) -> Result<Option<Event>, Arc<StoreError>> {
        Ok(self.next().await?.map(|update| event(&update)))
    }
}

fn event(update: &OrderUpdate) -> Event {
    let id = format!("{}-{}", update.id, update.status);
    let data = serde_json::to_string(&OrderStatusData::of(update)).unwrap_or_default();
    Event::default().event("order-status").id(id).data(data)
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

use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::body::Object;
use super::super::cursor::Cursor;
use super::super::envelope::{ok, respond, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{BareChange, Carried, Change, HeldKey, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::prefer::{Patience, Prefer};
use super::super::query::RawQuery;
use super::{PageData, must_exist};
use axum::extract::State;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use commerce_core::idempotency::StoredAnswer;
use commerce_core::order::{CancelOrder, Order, OrderError, OrderItem, OrderLine, OrderLines, OrderStatus, PlaceOrder, Quantity};
use commerce_core::store::{OrderView, StoreError};
use commerce_core::user::Actor;
use commerce_core::{ErrorCode, OptionId, OrderId, Sequence, UserCouponId, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An order to place.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct PlaceOrderRequest {
    /// Who orders.
    #[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    user_id: UserId,
    /// The coupon to use.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    user_coupon_id: Option<UserCouponId>,
    /// 1–100 lines; lines with the same option are taken together.
    #[schema(value_type = Vec<OrderProductRequest>, min_items = 1, max_items = 100)]
    order_product_requests: Vec<Object<OrderProductRequest>>,
}

/// A line of an order to place.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct OrderProductRequest {
    /// What is ordered.
    #[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    product_option_id: OptionId,
    /// How many units.
    #[schema(minimum = 1, maximum = 10_000)]
    quantity: i64,
}

/// An order that was taken; stock and coupon are taken next.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PlacedOrderData {
    /// The order's id.
    id: i64,
    /// 0 until the stock is reserved.
    total_price: i64,
    /// `PENDING`.
    #[schema(example = "PENDING")]
    status: &'static str,
}

/// An order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct OrderData {
    /// The order's id.
    id: i64,
    /// What is to be paid, or was, in KRW; 0 until the stock is reserved.
    total_price: i64,
    /// `PENDING`, `AWAITING_PAYMENT`, `COMPLETED`, `FAILED`, `CANCELLED`, `EXPIRED` or `REFUNDED`.
    #[schema(example = "AWAITING_PAYMENT")]
    status: &'static str,
    /// The price of the items in KRW.
    original_price: i64,
    /// What the coupon takes off in KRW.
    discount_price: i64,
    /// What was ordered; empty until the stock is reserved.
    items: Vec<OrderItemData>,
    /// The coupon that is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_coupon_id: Option<i64>,
    /// The payment that completed the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<i64>,
    /// The step that failed the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'static str>,
    /// When it was placed, in UTC.
    #[schema(format = DateTime)]
    ordered_at: String,
    /// The payment deadline, in UTC.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A line of an order, with the names and the price of the moment its stock was reserved.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct OrderItemData {
    /// The option.
    product_option_id: i64,
    /// The product.
    product_id: i64,
    /// The product's name.
    product_name: String,
    /// The option's name.
    option_name: String,
    /// The price of one unit in KRW.
    unit_price: i64,
    /// How many units.
    quantity: u32,
}

impl OrderData {
    fn of(view: &OrderView) -> Self {
        let order = &view.order;
        Self {
            id: order.id.get(),
            total_price: order.total.krw(),
            status: order.status.as_str(),
            original_price: order.original_price.krw(),
            discount_price: order.discount.krw(),
            items: order.items.iter().map(OrderItemData::of).collect(),
            user_coupon_id: order.user_coupon_id.map(Into::into),
            payment_id: view.payment_id.map(Into::into),
            failure_code: order.failure.map(ErrorCode::as_str),
            ordered_at: order.ordered_at.to_string(),
            expires_at: order.expires_at.to_string(),
        }
    }
}

impl OrderItemData {
    fn of(item: &OrderItem) -> Self {
        Self {
            product_option_id: item.option_id.get(),
            product_id: item.product_id.get(),
            product_name: item.product_name.as_str().to_owned(),
            option_name: item.option_name.as_str().to_owned(),
            unit_price: item.unit_price.amount().krw(),
            quantity: item.quantity.units(),
        }
    }
}

impl PlaceOrderRequest {
    fn lines(&self) -> Outcome<OrderLines> {
        let line = |(index, Object(line)): (usize, &Object<OrderProductRequest>)| {
            let quantity = Quantity::new(line.quantity);
            let quantity = quantity.map_err(|refusal| Failure::from(refusal).at(&format!("orderProductRequests[{index}].quantity")))?;
            Ok(OrderLine { option_id: line.product_option_id, quantity })
        };
        let sent: Vec<_> = self.order_product_requests.iter().enumerate().map(line).collect::<Outcome<_>>()?;
        OrderLines::merge(&sent).map_err(|refusal| Failure::from(refusal).at("orderProductRequests"))
    }
}

fn located(mut answer: StoredAnswer, id: OrderId) -> StoredAnswer {
    answer.location = Some(format!("/api/orders/{id}"));
    answer
}

/// What is answered to whoever does not wait, whatever became of the order by then: the answer that is kept under a key is made before.
fn accepted(order: &Order) -> StoredAnswer {
    let data = PlacedOrderData { id: order.id.get(), total_price: 0, status: OrderStatus::Pending.as_str() };
    located(success(StatusCode::ACCEPTED, &data), order.id)
}

pub(super) async fn place(
    State(shop): State<Shop>,
    caller: Caller,
    Prefer(patience): Prefer,
    query: RawQuery,
    change: Change<PlaceOrderRequest>,
) -> Outcome {
    query.read(&[])?;
    let lines = change.body.lines()?;
    let PlaceOrderRequest { user_id, user_coupon_id, .. } = change.body;
    caller.must_act_for(user_id)?;
    let key = change.claim(&shop, caller)?;
    let id = shop.commerce.next_id(Sequence::Order).await?;
    let command = PlaceOrder { id, user_id, user_coupon_id, lines, trace_parent: change.trace_parent };
    let carried = carry_out(&shop.commerce.desks().place_order, command, key.as_ref(), accepted).await?;
    match (carried, patience) {
        (Carried::Fresh(Ok(order), response), Some(patience)) => settled(&shop, order, response, patience, key.as_ref()).await,
        (Carried::Replayed(response), Some(patience)) => Ok(patience.applied_again(response)),
        (carried, _) => Ok(carried.into_response()),
    }
}

/// Waits until the order has left PENDING, and answers with the order as it is then; with what was known before if it takes longer.
async fn settled(shop: &Shop, placed: Order, accepted: Response, patience: Patience, key: Option<&HeldKey>) -> Outcome {
    let id = placed.id;
    let view = if placed.status == OrderStatus::Pending {
        let view = wait(shop, id, patience).await;
        // The order is placed whatever became of the waiting: a failure to look must not read as a failure to order.
        view.inspect_err(|error| tracing::warn!(%error, order_id = %id, "could not wait for an order")).ok().flatten()
    } else {
        // As the commit that placed it has left it: it had no payment then.
        Some(OrderView { order: placed, payment_id: None })
    };
    let Some(view) = view.filter(|view| view.order.status != OrderStatus::Pending) else {
        return Ok(patience.applied(accepted));
    };
    let answer = located(success(StatusCode::OK, &OrderData::of(&view)), id);
    if let Some(key) = key
        && let Err(error) = key.keep(shop, answer.clone()).await
    {
        tracing::warn!(%error, order_id = %id, "the answer to be replayed stays the first one");
        return Ok(patience.applied(accepted));
    }
    Ok(patience.applied(respond(answer)))
}

/// The order once it has left PENDING, or as it is when patience or the server comes to its end.
async fn wait(shop: &Shop, id: OrderId, patience: Patience) -> Result<Option<OrderView>, Arc<StoreError>> {
    tokio::select! {
        biased;
        view = shop.commerce.order_once_settled(id, patience.duration()) => view,
        () = shop.shutdown.cancelled() => shop.commerce.order(id, Actor::Admin).await,
    }
}

pub(super) async fn show(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    Prefer(patience): Prefer,
    query: RawQuery,
    headers: HeaderMap,
) -> Outcome {
    query.read(&[])?;
    let mut view = shop.commerce.order(id, caller.actor).await?.ok_or(OrderError::NotFound(id))?;
    if let Some(patience) = patience.filter(|_| view.order.status == OrderStatus::Pending) {
        view = wait(&shop, id, patience).await?.ok_or(OrderError::NotFound(id))?;
    }
    let response = fresh_or_not_modified(&view, &headers);
    Ok(match patience {
        Some(patience) => patience.applied(response),
        None => response,
    })
}

/// The order, or 304 if the client has it as it is.
fn fresh_or_not_modified(view: &OrderView, headers: &HeaderMap) -> Response {
    // Whatever changes in the answer changes with a save of the order.
    let etag = format!("\"{}-{}\"", view.order.version, view.order.updated_at.millis());
    let known = |value: &HeaderValue| {
        let tags = value.to_str().unwrap_or_default().split(',').map(str::trim);
        tags.into_iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    };
    let mut response =
        if headers.get_all(IF_NONE_MATCH).iter().any(known) { StatusCode::NOT_MODIFIED.into_response() } else { ok(&OrderData::of(view)) };
    if let Ok(etag) = HeaderValue::try_from(etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

pub(super) async fn list(State(shop): State<Shop>, caller: Caller, PathId(user): PathId<UserId>, query: RawQuery) -> Outcome {
    let query = query.read(&["cursor", "limit"])?;
    let (before, limit) = (query.cursor()?, query.limit()?);
    caller.must_act_for(user)?;
    let page = shop.commerce.queries().orders_of(user, before, limit).await?;
    if page.items.is_empty() {
        must_exist(&shop, user).await?;
    }
    let items = page.items.iter().map(OrderData::of).collect();
    Ok(ok(&PageData { items, next_cursor: page.next.map(|next| next.encode()) }))
}

pub(super) async fn cancel(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    query: RawQuery,
    BareChange(change): BareChange,
) -> Outcome<Carried<Result<Order, OrderError>>> {
    query.read(&[])?;
    let key = change.claim(&shop, caller)?;
    let command = CancelOrder { id, actor: caller.actor, trace_parent: change.trace_parent };
    // An order that can be cancelled was never paid.
    let answer = |order: &Order| success(StatusCode::OK, &OrderData::of(&OrderView { order: order.clone(), payment_id: None }));
    carry_out(&shop.commerce.desks().cancel_order, command, key.as_ref(), answer).await
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::post("/api/orders", "orders", "Places an order; stock and coupon are taken next.")
        .with_token()
        .takes::<PlaceOrderRequest>(document)
        .idempotent()
        .waits_until("the order has left PENDING")
        .header("traceparent", "The W3C trace the order belongs to.")
        .answers::<PlacedOrderData>(StatusCode::ACCEPTED, document)
        .with("Location", "Where the order is.")
        .answers::<OrderData>(StatusCode::OK, document)
        .with("Location", "Where the order is.")
        .with("Preference-Applied", "The wait that was granted.")
        .refuses(&[ErrorCode::InvalidOrderQuantity, ErrorCode::InactiveUser])
        .add_to(document);
    Operation::get("/api/orders/{orderId}", "orders", "Shows an order.")
        .with_token()
        .waits_until("the order has left PENDING")
        .header("If-None-Match", "The ETag of the order as the client has it.")
        .answers::<OrderData>(StatusCode::OK, document)
        .with("ETag", "Changes with the order.")
        .with("Preference-Applied", "The wait that was granted.")
        .answers_nothing(StatusCode::NOT_MODIFIED)
        .refuses(&[ErrorCode::ResourceNotFound])
        .add_to(document);
    Operation::get("/api/users/{userId}/orders", "orders", "Lists a user's orders, newest first.")
        .with_token()
        .pages::<OrderData>(document)
        .refuses(&[ErrorCode::InactiveUser])
        .add_to(document);
    Operation::post("/api/orders/{orderId}/cancel", "orders", "Gives an order up before its payment.")
        .with_token()
        .idempotent()
        .answers::<OrderData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::ResourceNotFound, ErrorCode::CannotCancelOrder])
        .add_to(document);
}

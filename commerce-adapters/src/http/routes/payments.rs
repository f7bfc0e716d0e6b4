use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::envelope::{ok, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{BareChange, Carried, Change, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use axum::extract::State;
use axum::http::StatusCode;
use commerce_core::payment::{PayOrder, Payment, PaymentError, PaymentMethod, RefundPayment};
use commerce_core::{ErrorCode, OrderId, PaymentId, Sequence, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An order to pay.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct PayRequest {
    /// The order.
    #[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    order_id: OrderId,
    /// Who pays: the user who placed the order.
    #[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    user_id: UserId,
    /// With what: `POINT`.
    #[schema(example = "POINT", pattern = "^POINT$")]
    r#type: String,
}

/// A payment that was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PaidData {
    /// The payment's id.
    id: i64,
    /// The order.
    order_id: i64,
    /// How much was paid, in points.
    payment_amount: i64,
    /// `COMPLETED`.
    #[schema(example = "COMPLETED")]
    status: &'static str,
}

/// A payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PaymentData {
    /// The payment's id.
    id: i64,
    /// The order.
    order_id: i64,
    /// How much, in points.
    payment_amount: i64,
    /// `COMPLETED`, `FAILED` or `REFUNDED`.
    #[schema(example = "COMPLETED")]
    status: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<&'static str>,
    /// When it was made, in UTC.
    #[schema(format = DateTime)]
    at: String,
}

impl PaidData {
    fn of(payment: &Payment) -> Self {
        let Payment { id, order_id, amount, status, .. } = payment;
        Self { id: id.get(), order_id: order_id.get(), payment_amount: amount.krw(), status: status.as_str() }
    }
}

impl PaymentData {
    fn of(payment: &Payment) -> Self {
        let PaidData { id, order_id, payment_amount, status } = PaidData::of(payment);
        let failure_code = payment.failure.map(ErrorCode::as_str);
        Self { id, order_id, payment_amount, status, failure_code, at: payment.at.to_string() }
    }
}

pub(super) async fn pay(
    State(shop): State<Shop>,
    caller: Caller,
    query: RawQuery,
    change: Change<PayRequest>,
) -> Outcome<Carried<Result<Payment, PaymentError>>> {
    query.read(&[])?;
    let PayRequest { order_id, user_id, ref r#type } = change.body;
    let PaymentMethod::Point = PaymentMethod::parse(r#type).ok_or_else(|| Failure::invalid("type", "the type must be POINT"))?;
    caller.must_act_for(user_id)?;
    let key = change.claim(&shop, caller)?;
    let payment_id = shop.commerce.next_id(Sequence::Payment).await?;
    let command = PayOrder { payment_id, order_id, user_id, trace_parent: change.trace_parent };
    carry_out(&shop.commerce.desks().pay, command, key.as_ref(), |payment| success(StatusCode::OK, &PaidData::of(payment))).await
}

pub(super) async fn show(State(shop): State<Shop>, caller: Caller, PathId(id): PathId<PaymentId>, query: RawQuery) -> Outcome {
    query.read(&[])?;
    let payment = shop.commerce.queries().payment(id).await?.filter(|payment| caller.actor.may_act_for(payment.user_id));
    payment.map(|payment| ok(&PaymentData::of(&payment))).ok_or_else(|| PaymentError::NotFound(id).into())
}

pub(super) async fn refund(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(id): PathId<PaymentId>,
    query: RawQuery,
    BareChange(change): BareChange,
) -> Outcome<Carried<Result<Payment, PaymentError>>> {
    query.read(&[])?;
    let key = change.claim(&shop, caller)?;
    let command = RefundPayment { id, actor: caller.actor, trace_parent: change.trace_parent };
    carry_out(&shop.commerce.desks().refund, command, key.as_ref(), |payment| success(StatusCode::OK, &PaymentData::of(payment))).await
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::post("/api/payments", "payments", "Pays an order with points.")
        .with_token()
        .takes::<PayRequest>(document)
        .idempotent()
        .answers::<PaidData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::ResourceNotFound, ErrorCode::CannotPayOrder, ErrorCode::InsufficientUserPoint])
        .add_to(document);
    Operation::get("/api/payments/{paymentId}", "payments", "Shows a payment.")
        .with_token()
        .answers::<PaymentData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::ResourceNotFound])
        .add_to(document);
    Operation::post("/api/payments/{paymentId}/refund", "payments", "Gives a payment back, and what the order took.")
        .with_token()
        .idempotent()
        .answers::<PaymentData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::ResourceNotFound, ErrorCode::CannotRefundPayment, ErrorCode::InvalidUserPoint])
        .add_to(document);
}

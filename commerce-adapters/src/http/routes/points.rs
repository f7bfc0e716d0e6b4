use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::cursor::Cursor;
use super::super::envelope::{ok, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{Carried, Change, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::path::PathId;
use super::super::query::RawQuery;
use super::{PageData, must_exist};
use axum::extract::State;
use axum::http::StatusCode;
use commerce_core::point::{ChargeAmount, ChargePoints, PointEntry, PointError};
use commerce_core::{ErrorCode, Money, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much is paid in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in super::super) struct ChargeRequest {
    /// The points to charge.
    #[schema(minimum = 1_000, maximum = 1_000_000)]
    charge_point: i64,
}

/// What a user can spend.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PointData {
    /// The user.
    user_id: i64,
    /// The balance.
    point: i64,
}

/// A line of a user's ledger.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PointEntryData {
    /// Rises with every change of the balance.
    id: i64,
    /// `CHARGE`, `USE` or `REFUND`.
    #[schema(example = "CHARGE")]
    kind: &'static str,
    /// By how much the balance changed; always above zero.
    amount: i64,
    /// The balance then.
    balance_after: i64,
    /// The order that was paid or given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<i64>,
    /// When, in UTC.
    #[schema(format = DateTime)]
    at: String,
}

impl PointEntryData {
    fn of(entry: &PointEntry) -> Self {
        let change = &entry.change;
        Self {
            id: entry.id.get(),
            kind: change.kind.as_str(),
            amount: change.amount.krw(),
            balance_after: change.balance_after.krw(),
            order_id: change.order_id.map(Into::into),
            at: change.at.to_string(),
        }
    }
}

pub(super) async fn show(State(shop): State<Shop>, caller: Caller, PathId(user): PathId<UserId>, query: RawQuery) -> Outcome {
    query.read(&[])?;
    caller.must_act_for(user)?;
    let balance = shop.commerce.queries().balance(user).await?.ok_or(PointError::UserNotFound(user))?;
    Ok(ok(&PointData { user_id: user.get(), point: balance.krw() }))
}

pub(super) async fn charge(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(user_id): PathId<UserId>,
    query: RawQuery,
    change: Change<ChargeRequest>,
) -> Outcome<Carried<Result<Money, PointError>>> {
    query.read(&[])?;
    let amount = ChargeAmount::new(change.body.charge_point).map_err(|refusal| Failure::from(refusal).at("chargePoint"))?;
    caller.must_act_for(user_id)?;
    let key = change.claim(&shop, caller)?;
    let idempotency_key = change.key().map(|key| key.as_str().to_owned());
    let command = ChargePoints { user_id, amount, idempotency_key };
    let answer = move |balance: &Money| success(StatusCode::OK, &PointData { user_id: user_id.get(), point: balance.krw() });
    carry_out(&shop.commerce.desks().charge, command, key.as_ref(), answer).await
}

pub(super) async fn history(State(shop): State<Shop>, caller: Caller, PathId(user): PathId<UserId>, query: RawQuery) -> Outcome {
    let query = query.read(&["cursor", "limit"])?;
    let (before, limit) = (query.cursor()?, query.limit()?);
    caller.must_act_for(user)?;
    let page = shop.commerce.queries().point_entries(user, before, limit).await?;
    if page.items.is_empty() {
        must_exist(&shop, user).await?;
    }
    let items = page.items.iter().map(PointEntryData::of).collect();
    Ok(ok(&PageData { items, next_cursor: page.next.map(|next| next.encode()) }))
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::get("/api/users/{userId}/points", "points", "Shows what a user can spend.")
        .with_token()
        .answers::<PointData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InactiveUser])
        .add_to(document);
    Operation::post("/api/users/{userId}/points", "points", "Pays points in, and answers the balance afterwards.")
        .with_token()
        .takes::<ChargeRequest>(document)
        .idempotent()
        .answers::<PointData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InvalidUserPoint, ErrorCode::InactiveUser])
        .add_to(document);
    Operation::get("/api/users/{userId}/points/history", "points", "Lists a user's ledger, newest first.")
        .with_token()
        .pages::<PointEntryData>(document)
        .refuses(&[ErrorCode::InactiveUser])
        .add_to(document);
}

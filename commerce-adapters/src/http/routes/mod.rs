//! The routes, one file a resource.

mod auth;
mod coupon_publish;
mod coupon_status;
mod coupons;
pub(super) mod health;
pub(super) mod metrics;
mod order_events;
mod orders;
mod payments;
mod points;
mod products;
mod users;

use super::app::Shop;
use super::failure::{Failure, Outcome};
use super::openapi::{Document, Operation};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use commerce_core::UserId;
use commerce_core::user::UserError;
use serde::Serialize;

/// A page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageData<T> {
    /// The items.
    items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The routes of the shop itself.
pub(super) fn shop() -> Router<Shop> {
    Router::new()
        .route("/api/users", post(users::register))
        .route("/api/auth/login", post(auth::login))
        .route("/api/users/{userId}", get(users::show).post(users::rename))
        .route("/api/users/{userId}/points", get(points::show).post(points::charge))
        .route("/api/users/{userId}/points/history", get(points::history))
        .route("/api/users/{userId}/orders", get(orders::list))
        .route("/api/products", get(products::list).post(products::create))
        .route("/api/products/{productId}", get(products::show))
        .route("/api/products/rank/{n}", get(products::rank))
        .route("/api/products/options/{optionId}/stock", post(products::adjust_stock))
        .route("/api/orders", post(orders::place))
        .route("/api/orders/{orderId}", get(orders::show))
        .route("/api/orders/{orderId}/events", get(order_events::stream))
        .route("/api/orders/{orderId}/cancel", post(orders::cancel))
        .route("/api/payments", post(payments::pay))
        .route("/api/payments/{paymentId}", get(payments::show))
        .route("/api/payments/{paymentId}/refund", post(payments::refund))
        .route("/api/coupons", get(coupons::list).post(coupons::create))
        .route("/api/coupons/publish", post(coupon_publish::publish))
        .route("/api/coupons/publish/status/{taskId}", get(coupon_status::show))
        .route("/api/coupons/{userId}", get(coupons::held))
}

/// Describes every route.
pub(super) fn document(document: &mut Document) {
    users::document(document);
    auth::document(document);
    points::document(document);
    products::document(document);
    orders::document(document);
    order_events::document(document);
    payments::document(document);
    coupons::document(document);
    coupon_publish::document(document);
    coupon_status::document(document);
    for (path, summary, answer) in [
        ("/healthz", "Says that the process is alive.", "alive"),
        ("/readyz", "Says whether requests are welcome, one line for each thing they need.", "Ready."),
        ("/metrics", "Shows metrics in the text format of Prometheus.", "The metrics."),
    ] {
        let operation = Operation::get(path, "operator", summary).for_operator().answers_text(StatusCode::OK, answer);
        let unready = path == "/readyz";
        let operation = if unready { operation.answers_text(StatusCode::SERVICE_UNAVAILABLE, "Something is missing.") } else { operation };
        operation.add_to(document);
    }
}

/// # Errors
/// `INACTIVE_USER` if there is no such user.
async fn must_exist(shop: &Shop, user: UserId) -> Outcome<()> {
    match shop.commerce.queries().user(user).await? {
        Some(_) => Ok(()),
        None => Err(Failure::from(UserError::NotFound(user))),
    }
}

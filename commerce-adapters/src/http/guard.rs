//! What surrounds every route: the cap, the deadline, the answer to a panic, the log line and the metrics.

use super::app::Shop;
use super::envelope::{as_problem, problem_wanted};
use super::failure::Failure;
use super::turn::Turn;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use commerce_core::store::StoreError;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// When a request is given up: whoever waits within it answers before.
#[derive(Debug, Clone, Copy)]
pub(super) struct GivenUpAt(pub(super) Instant);

pub(super) async fn guard(State(shop): State<Shop>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let problem_wanted = problem_wanted(request.headers());

    let mut response = match Turn::take(&shop.requests) {
        Ok(_turn) if shop.shutdown.is_cancelled() => Failure::overloaded().into_response(),
        Ok(turn) => {
            request.extensions_mut().insert(turn.clone());
            request.extensions_mut().insert(GivenUpAt(started + shop.limits.handler_deadline));
            answer(request, next, shop.limits.handler_deadline).await
        }
        Err(full) => full.into_response(),
    };
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE || shop.shutdown.is_cancelled() {
        // What is left of a large body is not read, and a server that ends takes no more requests: the client is to know.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    record(method, route.as_ref().map_or("unmatched", MatchedPath::as_str), response.status().as_u16(), started.elapsed());
    if problem_wanted { as_problem(response) } else { response }
}

async fn answer(request: Request, next: Next, deadline: Duration) -> Response {
    let changes = !request.method().is_safe();
    match timeout(deadline, AssertUnwindSafe(next.run(request)).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked");
            Failure::internal().into_response()
        }
        // What was handed in is carried out even if nobody waits for it any more.
        Err(elapsed) if changes => Failure::from(StoreError::Ambiguous(elapsed.into())).into_response(),
        Err(_elapsed) => Failure::overloaded().into_response(),
    }
}

/// The method as a label: of those that nobody knows there could be any number.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => "OTHER",
    }
}

fn record(method: &'static str, route: &str, status: u16, latency: Duration) {
    metrics::counter!("commerce_http_requests_total", "method" => method, "route" => route.to_owned(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("commerce_http_request_seconds", "method" => method, "route" => route.to_owned()).record(latency);
    tracing::debug!(method, route, status, latency_ms = latency.as_secs_f64() * 1_000.0, "answered");
}

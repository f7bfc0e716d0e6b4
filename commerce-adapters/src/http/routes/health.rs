//! Liveness and readiness.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use commerce_core::Commerce;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A dependency that takes longer to answer is down.
const PING_DEADLINE: Duration = Duration::from_secs(2);

pub(in super::super) fn routes(commerce: Commerce, shutdown: CancellationToken) -> Router {
    Router::new().route("/healthz", get(async || "alive\n")).route("/readyz", get(readyz)).with_state((commerce, shutdown))
}

/// One line for each thing a request needs; 503 if one of them is missing.
async fn readyz(State((commerce, shutdown)): State<(Commerce, CancellationToken)>) -> (StatusCode, String) {
    let store = matches!(timeout(PING_DEADLINE, commerce.parts().store.ping()).await, Ok(Ok(())));
    let serving = !shutdown.is_cancelled();
    let lines = [("store", store, "down"), ("server", serving, "shutting down")];
    let text = lines.map(|(name, up, otherwise)| format!("{name}: {}\n", if up { "up" } else { otherwise })).concat();
    (if store && serving { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}

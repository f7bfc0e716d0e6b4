//! Liveness and readiness.

use super::super::dependency::{Dependency, Ping};
use super::super::options::HttpOptions;
use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use commerce_core::store::Store;
use futures_util::future::join_all;
use std::error::Error;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

struct StorePing(Arc<dyn Store>);

#[async_trait]
impl Ping for StorePing {
    async fn ping(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.0.ping().await?)
    }
}

/// What readiness is told from.
#[derive(Clone)]
struct Readiness {
    /// The store first.
    dependencies: Arc<[Dependency]>,
    /// One of them is cancelled once the server is told to end.
    ending: [CancellationToken; 2],
}

pub(in super::super) fn routes(store: Arc<dyn Store>, options: &HttpOptions) -> Router {
    let store = Dependency::new("store", StorePing(store));
    let dependencies = std::iter::once(store).chain(options.dependencies.iter().cloned()).collect();
    let readiness = Readiness { dependencies, ending: [options.leaving.clone(), options.shutdown.clone()] };
    Router::new().route("/healthz", get(async || "alive\n")).route("/readyz", get(readyz)).with_state(readiness)
}

/// One line for each thing a request needs; 503 if one of them is missing.
async fn readyz(State(Readiness { dependencies, ending }): State<Readiness>) -> (StatusCode, String) {
    let up = join_all(dependencies.iter().map(Dependency::is_up)).await;
    let mut lines: Vec<_> = dependencies.iter().map(Dependency::name).zip(up).map(|(name, up)| (name, up, "down")).collect();
    lines.push(("server", !ending.iter().any(CancellationToken::is_cancelled), "shutting down"));
    let text = lines.iter().map(|(name, up, otherwise)| format!("{name}: {}\n", if *up { "up" } else { otherwise }));
    let text = text.collect::<Vec<_>>().concat();
    let ready = lines.iter().all(|(_, up, _)| *up);
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text)
}

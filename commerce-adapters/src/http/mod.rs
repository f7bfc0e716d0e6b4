//! The shop over HTTP: an axum router that can be mounted in anybody's server, and a server that closes slow and silent connections.
//!
//! - [`router`] and [`ops_router`] make the routes; [`HttpOptions`] says how they behave.
//! - [`serve`] runs them on a listener until it is told to stop.
//!
//! Every request passes the same checks in the same order: authentication, shape, ownership, domain. Every answer comes in one envelope, and
//! one `match` says which status a refusal has.

mod admissions;
mod app;
mod auth;
mod body;
mod cursor;
mod dependency;
mod envelope;
mod event_stream;
mod failure;
mod guard;
mod idempotency;
mod openapi;
mod options;
mod path;
mod prefer;
mod query;
mod routes;
mod server;
mod status;
mod trace_parent;
mod turn;

pub use auth::{AuthMode, SECRET_BYTES_MIN, SecretTooShort, TokenSecret};
pub use dependency::{Dependency, Ping};
pub use options::{HttpLimits, HttpOptions, OpsRoutes};
pub use routes::metrics::install_metrics;
pub use server::{ServerLimits, serve};

use self::app::App;
use self::failure::Failure;
use axum::Router;
use axum::middleware::from_fn_with_state;
use commerce_core::{Commerce, ErrorCode};
use std::sync::Arc;

/// The routes of a shop.
///
/// Unless [`HttpOptions::ops_routes`] says otherwise they include those of [`ops_router`].
pub fn router(commerce: Commerce, options: HttpOptions) -> Router {
    let beside = match options.ops_routes {
        OpsRoutes::SamePort => ops_routes(&commerce, &options),
        OpsRoutes::OwnPort => Router::new(),
    };
    let documentation = openapi::routes(&options.auth);
    let shop = Arc::new(App::new(commerce, options));
    routes::shop()
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(Arc::clone(&shop), guard::guard))
        .with_state(shop)
        .merge(documentation.method_not_allowed_fallback(unknown_method))
        .merge(beside)
}

/// Health, readiness and metrics. No cap on requests keeps them from answering.
pub fn ops_router(commerce: &Commerce, options: &HttpOptions) -> Router {
    ops_routes(commerce, options).fallback(unknown_path)
}

/// Those of [`ops_router`] without what answers unknown paths: merged routers can have that only once.
fn ops_routes(commerce: &Commerce, options: &HttpOptions) -> Router {
    let health = routes::health::routes(Arc::clone(&commerce.parts().store), options);
    let all = match &options.metrics {
        Some(handle) => health.merge(routes::metrics::routes(handle.clone())),
        None => health,
    };
    all.method_not_allowed_fallback(unknown_method)
}

async fn unknown_path() -> Failure {
    Failure::new(ErrorCode::ResourceNotFound, "there is nothing at this path: /docs lists what there is")
}

async fn unknown_method() -> Failure {
    Failure::new(ErrorCode::MethodNotAllowed, "this path does not take this method: use one that the Allow header names")
}

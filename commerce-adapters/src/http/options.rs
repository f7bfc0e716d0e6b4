use super::{AuthMode, Dependency};
use metrics_exporter_prometheus::PrometheusHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The bounds of the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// The most requests that are worked on at once; more are refused with 503.
    pub requests_in_flight_max: usize,
    /// The most event streams that are open at once; more are refused with 503.
    pub event_streams_max: usize,
    /// The most event streams that one caller has open at once; more are refused with 503. It does not count where nobody is checked.
    pub event_streams_per_user_max: usize,
    /// How long the body of a request may take to arrive.
    pub body_deadline: Duration,
    /// How long a request may take from its header to the header of its answer.
    pub handler_deadline: Duration,
    /// How often a silent event stream shows that it is alive.
    pub heartbeat_every: Duration,
}

impl Default for HttpLimits {
    /// 1,024 requests, 10,000 event streams and 64 for one caller, 30 s for a body, 35 s for an answer, a heartbeat every 15 s.
    fn default() -> Self {
        Self {
            requests_in_flight_max: 1_024,
            event_streams_max: 10_000,
            event_streams_per_user_max: 64,
            body_deadline: Duration::from_secs(30),
            handler_deadline: Duration::from_secs(35),
            heartbeat_every: Duration::from_secs(15),
        }
    }
}

/// Where health, readiness and metrics are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OpsRoutes {
    /// On the port of the shop, beside its routes.
    #[default]
    SamePort,
    /// On a port of their own: see [`ops_router`](super::ops_router).
    OwnPort,
}

/// How a shop is shown over HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Whether callers are checked.
    pub auth: AuthMode,
    /// The bounds of the routes.
    pub limits: HttpLimits,
    /// Where health, readiness and metrics are answered.
    pub ops_routes: OpsRoutes,
    /// What the shop needs beside its store: readiness has a line for each.
    pub dependencies: Vec<Dependency>,
    /// What `/metrics` shows; without it, there is no such path.
    pub metrics: Option<PrometheusHandle>,
    /// Once it is cancelled the shop is not ready any more: whoever shares requests among several is to send none here.
    pub leaving: CancellationToken,
    /// Once it is cancelled the shop is not ready either, new requests are refused and event streams end.
    pub shutdown: CancellationToken,
}

impl HttpOptions {
    /// The default bounds, everything on one port, nothing needed but the store, no metrics, and a shutdown that never comes.
    pub fn new(auth: AuthMode) -> Self {
        Self {
            auth,
            limits: HttpLimits::default(),
            ops_routes: OpsRoutes::default(),
            dependencies: Vec::new(),
            metrics: None,
            leaving: CancellationToken::new(),
            shutdown: CancellationToken::new(),
        }
    }
}

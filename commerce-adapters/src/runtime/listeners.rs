use super::Failure;
use crate::http::{HttpOptions, ServerLimits, install_metrics, ops_router, serve};
use axum::Router;
use commerce_core::Commerce;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Takes an address.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::missing(format!("cannot listen on {address}: choose another address"), &error))
}

/// What a process serves over HTTP, until all of it is told to end.
pub(super) struct Listeners {
    /// How it is served.
    pub(super) options: HttpOptions,
    shutdown: CancellationToken,
    running: JoinSet<()>,
}

impl Listeners {
    /// Serves nothing yet. The metrics of the process are kept from now on.
    pub(super) fn new(options: HttpOptions) -> Result<Self, Failure> {
        let metrics = install_metrics().map_err(|error| Failure::missing("cannot keep metrics", &error))?;
        let shutdown = CancellationToken::new();
        let options = HttpOptions { metrics: Some(metrics), shutdown: shutdown.clone(), ..options };
        Ok(Self { options, shutdown, running: JoinSet::new() })
    }

    /// Serves routes that were made with [`options`](Self::options).
    pub(super) fn serve(&mut self, listener: TcpListener, routes: Router) {
        self.running.spawn(serve(listener, routes, ServerLimits::default(), self.shutdown.clone()));
    }

    /// Serves what operators ask for, on an address of its own.
    pub(super) fn serve_operators(&mut self, listener: TcpListener, commerce: &Commerce) {
        self.serve(listener, ops_router(commerce, &self.options));
    }

    /// Lets requests in flight finish, and ends.
    pub(super) async fn end(&mut self) {
        self.shutdown.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

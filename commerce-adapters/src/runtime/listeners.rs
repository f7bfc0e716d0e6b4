use super::Failure;
use crate::http::{HttpOptions, ServerLimits, install_metrics, ops_router, serve};
use axum::Router;
use commerce_core::Commerce;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Takes an address.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::missing(format!("cannot listen on {address}: choose another address"), &error))
}

/// What a process serves over HTTP, until all of it is told to end.
pub(super) struct Listeners {
    /// How it is served.
    pub(super) options: HttpOptions,
    running: JoinSet<()>,
}

impl Listeners {
    /// Serves nothing yet. The metrics of the process are kept from now on.
    pub(super) fn new(options: HttpOptions) -> Result<Self, Failure> {
        let metrics = install_metrics().map_err(|error| Failure::missing("cannot keep metrics", &error))?;
        let options = HttpOptions { metrics: Some(metrics), ..options };
        Ok(Self { options, running: JoinSet::new() })
    }

    /// Serves routes that were made with [`options`](Self::options).
    pub(super) fn serve(&mut self, listener: TcpListener, routes: Router) {
        self.running.spawn(serve(listener, routes, ServerLimits::default(), self.options.shutdown.clone()));
    }

    /// Serves what operators ask for, on an address of its own.
    pub(super) fn serve_operators(&mut self, listener: TcpListener, commerce: &Commerce) {
        self.serve(listener, ops_router(commerce, &self.options));
    }

    /// Says that it is not ready any more, and goes on for a while, until nobody sends requests here; then lets those in flight finish, and ends.
    pub(super) async fn leave(&mut self, for_a_while: Duration) {
        if !for_a_while.is_zero() {
            self.options.leaving.cancel();
            tokio::time::sleep(for_a_while).await;
        }
        self.end().await;
    }

    /// Lets requests in flight finish, and ends.
    pub(super) async fn end(&mut self) {
        self.options.shutdown.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

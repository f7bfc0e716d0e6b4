//! The server loop: HTTP/1.1 on a listener, with a bound on everything a client can do to it.

mod patience;

use self::patience::{Activity, PatientStream};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// How long to wait before accepting again when the system has no room for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// For how long connections stay open once the server is told to stop: a request that is on its way by then finds an answer, not a reset.
const LAST_REQUEST: Duration = Duration::from_millis(200);

/// The bounds of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// The most connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// How long the header of a request may take, from the first byte, or from the connection for the first request.
    pub header_deadline: Duration,
    /// How long a connection may be silent between requests.
    pub idle_deadline: Duration,
    /// How long requests in flight may take once the server is told to stop.
    pub shutdown_deadline: Duration,
}

impl Default for ServerLimits {
    /// 16,384 connections, 10 s for a header, 75 s of silence, 10 s to stop.
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            header_deadline: Duration::from_secs(10),
            idle_deadline: Duration::from_secs(75),
            shutdown_deadline: Duration::from_secs(10),
        }
    }
}

/// Serves `router` on `listener` until `shutdown` is cancelled. Then idle connections are closed a moment later and requests in flight finish;
/// what is left at the deadline is cut off. Until then whoever comes is still answered, one request a connection: a probe learns that the server is not
/// ready any more.
///
/// Give the same token to [`HttpOptions::shutdown`](super::HttpOptions::shutdown), so that event streams end and new requests are refused.
pub async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, shutdown: CancellationToken) {
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let (connections, latecomers, cut_off) = (TaskTracker::new(), TaskTracker::new(), CancellationToken::new());
    let door = Door { listener: &listener, room: &room, router: &router, limits, cut_off: &cut_off };
    shutdown.run_until_cancelled(door.admit(&connections, KeepAlive::Until(shutdown.clone()))).await;
    connections.close();
    let drained = timeout(limits.shutdown_deadline, connections.wait());
    tokio::select! {
        drained = drained => if drained.is_err() {
            tracing::warn!(connections = connections.len(), "connections were cut off at the deadline of the shutdown");
        },
        () = door.admit(&latecomers, KeepAlive::No) => {}
    }
    latecomers.close();
    let _late = timeout(LAST_REQUEST, latecomers.wait()).await;
    cut_off.cancel();
    tokio::join!(connections.wait(), latecomers.wait());
}

/// Where connections come in.
struct Door<'a> {
    listener: &'a TcpListener,
    room: &'a Arc<Semaphore>,
    router: &'a Router,
    limits: ServerLimits,
    cut_off: &'a CancellationToken,
}

/// For how long a connection takes requests.
#[derive(Clone)]
enum KeepAlive {
    /// Until the server is told to stop.
    Until(CancellationToken),
    /// For one.
    No,
}

impl Door<'_> {
    /// Lets connections in, until it is cancelled.
    async fn admit(&self, connections: &TaskTracker, keep_alive: KeepAlive) {
        while let Some((stream, permit)) = self.next().await {
            let connection = Connection { router: self.router.clone(), limits: self.limits, keep_alive: keep_alive.clone() };
            let cut_off = self.cut_off.clone();
            connections.spawn(async move {
                let _permit = permit;
                let _cut_off = cut_off.run_until_cancelled_owned(connection.run(stream)).await;
            });
        }
    }

    async fn next(&self) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(self.room).acquire_owned().await.ok()?;
        loop {
            match self.listener.accept().await {
                Ok((stream, _address)) => return Some((stream, permit)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// One connection of a client.
struct Connection {
    router: Router,
    limits: ServerLimits,
    keep_alive: KeepAlive,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        let Self { router, limits, keep_alive } = self;
        let (until, several) = match keep_alive {
            KeepAlive::Until(shutdown) => (shutdown, true),
            KeepAlive::No => (CancellationToken::new(), false),
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone at once");
            return;
        }
        let activity = Arc::new(Activity::default());
        let stream = PatientStream::new(stream, limits, Arc::clone(&activity));
        let service = service_fn(|request: Request<Incoming>| {
            let serving = activity.begin();
            // A router is always ready.
            let answer = router.clone().call(request.map(Body::new));
            async move {
                let _serving = serving;
                answer.await
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .keep_alive(several)
            // The stream keeps time itself: it tells a slow header from a connection that rests between requests.
            .header_read_timeout(None)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = until.cancelled() => match timeout(LAST_REQUEST, connection.as_mut()).await {
                Ok(result) => result,
                Err(_elapsed) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            },
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

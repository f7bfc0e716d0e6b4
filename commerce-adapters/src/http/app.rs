use super::HttpOptions;
use super::admissions::Admissions;
use super::auth::Authenticator;
use super::event_stream::EventStreams;
use super::idempotency::KeysInFlight;
use super::options::HttpLimits;
use commerce_core::Commerce;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What the routes share.
pub(super) type Shop = Arc<App>;

/// A shop as it is shown over HTTP.
pub(super) struct App {
    pub(super) commerce: Commerce,
    pub(super) authenticator: Authenticator,
    pub(super) keys_in_flight: KeysInFlight,
    /// Places of requests for coupons that could not be stored.
    pub(super) admissions: Admissions,
    pub(super) limits: HttpLimits,
    /// A permit for each request in flight.
    pub(super) requests: Arc<Semaphore>,
    /// The event streams that are open.
    pub(super) event_streams: Arc<EventStreams>,
    /// Event streams end when it is cancelled.
    pub(super) shutdown: CancellationToken,
}

impl App {
    pub(super) fn new(commerce: Commerce, options: HttpOptions) -> Self {
        let HttpOptions { auth, limits, shutdown, .. } = options;
        Self {
            commerce,
            authenticator: Authenticator::new(&auth),
            keys_in_flight: KeysInFlight::default(),
            admissions: Admissions::default(),
            limits,
            requests: Arc::new(Semaphore::new(limits.requests_in_flight_max)),
            event_streams: EventStreams::new(limits.event_streams_max, limits.event_streams_per_user_max),
            shutdown,
        }
    }
}

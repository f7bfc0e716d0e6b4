//! Event streams (server-sent events): the one way in which routes tell a client what happens, and the bounds on how many listen.

use super::app::Shop;
use super::auth::Caller;
use super::failure::{Failure, Outcome};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use commerce_core::idempotency::KeyOwner;
use commerce_core::store::StoreError;
use commerce_core::{ErrorCode, UserId};
use futures_util::{StreamExt, stream};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// When a client whose stream has ended too early is to come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a stream tells.
pub(super) trait Story: Send + 'static {
    /// The next event; `None` once nothing more will come. It must be safe to cancel.
    fn next_event(&mut self) -> impl Future<Output = Result<Option<Event>, Arc<StoreError>>> + Send;
}

/// The event streams that are open.
pub(super) struct EventStreams {
    free: Arc<Semaphore>,
    per_user_max: usize,
    of_users: Mutex<HashMap<UserId, usize>>,
}

impl EventStreams {
    pub(super) fn new(max: usize, per_user_max: usize) -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(max)), per_user_max, of_users: Mutex::default() })
    }

    /// A seat for a caller. Callers whom nobody checks cannot be told apart, so that only all of them together are bounded.
    ///
    /// # Errors
    /// OVERLOADED if too many streams are open.
    pub(super) fn seat(self: &Arc<Self>, caller: Caller) -> Outcome<Seat> {
        let full = || {
            let message = "too many event streams are open: try again in a second, or ask for the present state instead";
            Failure::new(ErrorCode::Overloaded, message)
        };
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(|_full| full())?;
        let user = match caller.key_owner {
            KeyOwner::Anyone => None,
            KeyOwner::User(user) => Some(user),
        };
        if let Some(user) = user {
            let mut of_users = self.of_users.lock().unwrap_or_else(PoisonError::into_inner);
            let open = of_users.get(&user).copied().unwrap_or_default();
            if open >= self.per_user_max {
                return Err(full());
            }
            of_users.insert(user, open + 1);
        }
        Ok(Seat { streams: Arc::clone(self), user, _permit: permit })
    }
}

/// The right to one open stream, until it is dropped.
pub(super) struct Seat {
    streams: Arc<EventStreams>,
    user: Option<UserId>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(user) = self.user else { return };
        let mut of_users = self.streams.of_users.lock().unwrap_or_else(PoisonError::into_inner);
        match of_users.get_mut(&user) {
            Some(open) if *open > 1 => *open -= 1,
            _ => {
                of_users.remove(&user);
            }
        }
    }
}

/// Streams a story to its end, or until the server comes to its own. The stream begins with the hint when to come back if it breaks off, and
/// ends with it if there is more to tell.
pub(super) fn event_stream(shop: &Shop, seat: Seat, story: impl Story) -> Response {
    let heartbeat = KeepAlive::new().interval(shop.limits.heartbeat_every).text("still here");
    let listening = Listening { shop: Arc::clone(shop), story, _seat: seat };
    let events = stream::once(ready(Ok(come_back()))).chain(stream::unfold(Some(listening), step));
    Sse::new(events).keep_alive(heartbeat).into_response()
}

/// A client that listens.
struct Listening<S> {
    shop: Shop,
    story: S,
    _seat: Seat,
}

type Step<S> = Option<(Result<Event, Infallible>, Option<Listening<S>>)>;

async fn step<S: Story>(listening: Option<Listening<S>>) -> Step<S> {
    let mut listening = listening?;
    let event = tokio::select! {
        biased;
        event = listening.story.next_event() => event,
        () = listening.shop.shutdown.cancelled() => return Some((Ok(come_back()), None)),
    };
    match event {
        Ok(event) => Some((Ok(event?), Some(listening))),
        Err(error) => {
            tracing::warn!(%error, "what a client listens to cannot be watched any more");
            Some((Ok(come_back()), None))
        }
    }
}

fn come_back() -> Event {
    Event::default().retry(RETRY_AFTER)
}

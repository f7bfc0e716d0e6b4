use super::{Call, Weather};
use commerce_core::messaging::Subscription;
use std::error::Error;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio_util::sync::CancellationToken;

/// Whether a call still took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// A process that is about to crash: at which of its next calls, and on which side of its effect.
struct Fuse {
    calls_left: u64,
    moment: Moment,
}

/// A place for a subscription, from which it is taken when its process crashes: its group goes on without it.
pub(super) type Seat = Arc<Chair>;
type Chair = tokio::sync::Mutex<Option<Box<dyn Subscription>>>;

/// Stands in front of all ports of one process. Once it is pulled, nothing the process does has any effect, and no call returns.
pub(crate) struct Plug {
    pulled: CancellationToken,
    fuse: Mutex<Option<Fuse>>,
    seats: Mutex<Vec<Weak<Chair>>>,
    weather: Arc<Weather>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plug {
    pub(crate) fn new(weather: Arc<Weather>) -> Arc<Self> {
        Arc::new(Self { pulled: CancellationToken::new(), fuse: Mutex::default(), seats: Mutex::default(), weather })
    }

    /// Lets the process crash at one of its next calls.
    pub(crate) fn light_fuse(&self, calls_left: u64, moment: Moment) {
        *locked(&self.fuse) = Some(Fuse { calls_left, moment });
    }

    pub(crate) fn put_out_fuse(&self) {
        *locked(&self.fuse) = None;
    }

    /// Ends the process, now.
    pub(crate) fn pull(&self) {
        self.pulled.cancel();
        for seat in locked(&self.seats).drain(..).filter_map(|seat| seat.upgrade()) {
            // Who polls at this moment notices by itself.
            if let Ok(mut seat) = seat.try_lock() {
                drop(seat.take());
            }
        }
    }

    pub(crate) async fn pulled(&self) {
        self.pulled.cancelled().await;
    }

    pub(crate) fn is_pulled(&self) -> bool {
        self.pulled.is_cancelled()
    }

    pub(super) fn seat(&self, subscription: Box<dyn Subscription>) -> Seat {
        let seat = Arc::new(tokio::sync::Mutex::new(Some(subscription)));
        locked(&self.seats).push(Arc::downgrade(&seat));
        seat
    }

    /// Does what a port does, unless the process crashes before, and never answers if it crashes after.
    pub(super) async fn call<T>(&self, call: Call, work: impl Future<Output = T>) -> T {
        let last = self.burn();
        if last == Some(Moment::Before) {
            self.crash("crash before", call);
        }
        if let Some(delay) = self.weather.delay() {
            tokio::time::sleep(delay).await;
        }
        if self.is_pulled() {
            // What the call was to end, such as a unit of work, goes with the process.
            drop(work);
            return pending().await;
        }
        let answer = work.await;
        if last == Some(Moment::After) {
            self.crash("crash after", call);
        }
        if self.is_pulled() {
            drop(answer);
            return pending().await;
        }
        answer
    }

    /// The same for a service that may also not be reached, or whose answer may get lost.
    pub(super) async fn reach<T, E>(&self, call: Call, work: impl Future<Output = Result<T, E>>) -> Result<T, E>
    where
        E: From<Box<dyn Error + Send + Sync>>,
    {
        match self.weather.failure(call) {
            None => self.call(call, work).await,
            Some(Moment::Before) => self.call(call, async { Err(lost()) }).await,
            Some(Moment::After) => {
                self.call(call, work).await?;
                Err(lost())
            }
        }
    }

    fn burn(&self) -> Option<Moment> {
        let mut fuse = locked(&self.fuse);
        let burning = fuse.as_mut()?;
        burning.calls_left = burning.calls_left.saturating_sub(1);
        if burning.calls_left > 0 {
            return None;
        }
        fuse.take().map(|fuse| fuse.moment)
    }

    fn crash(&self, kind: &'static str, call: Call) {
        self.weather.count(kind, call.name());
        self.pull();
    }
}

fn lost<E: From<Box<dyn Error + Send + Sync>>>() -> E {
    E::from("the weather is bad".into())
}

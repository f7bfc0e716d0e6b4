//! The turn of a request: the cap on requests in flight counts those that are worked on, not those whose bodies are still on their way.

use super::failure::{Failure, Outcome};
use axum::http::Extensions;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A permit to be worked on, which a request can give back for a while. Clones share it.
#[derive(Clone)]
pub(super) struct Turn {
    requests: Arc<Semaphore>,
    permit: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Turn {
    /// # Errors
    /// OVERLOADED if too many requests are in flight.
    pub(super) fn take(requests: &Arc<Semaphore>) -> Outcome<Self> {
        let turn = Self { requests: Arc::clone(requests), permit: Arc::default() };
        turn.take_again()?;
        Ok(turn)
    }

    /// The turn of a request; none if nobody counts.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// Lets others go first: this request can do nothing at the moment.
    pub(super) fn step_aside(&self) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// # Errors
    /// OVERLOADED if too many requests have gone first.
    pub(super) fn take_again(&self) -> Outcome<()> {
        let permit = Arc::clone(&self.requests).try_acquire_owned().map_err(|_full| Failure::overloaded())?;
        *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        Ok(())
    }
}

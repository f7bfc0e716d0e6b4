use super::{Shared, State};
use crate::store::StoreError;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// The right to write of a unit of work.
#[derive(Clone, Default)]
pub(super) enum Right {
    /// It has none: what is stored is nobody's.
    #[default]
    None,
    /// It takes it when it first writes.
    Later(Arc<Shared>),
    /// It has it, and nobody else.
    Held(#[expect(dead_code, reason = "held until the unit of work ends")] Arc<OwnedMutexGuard<()>>),
}

impl State {
    /// What is stored, in the hands of a unit of work with this right.
    pub(super) fn with(mut self, right: Right) -> Self {
        self.right = right;
        self
    }

    /// Called before anything is written. Whoever has not got the right to write yet waits for it, and goes on from what is stored then: what it
    /// read before may have changed, as in a database that reads without locking.
    pub(super) async fn begin_to_write(&mut self) -> Result<(), StoreError> {
        if let Right::Later(shared) = &self.right {
            let shared = Arc::clone(shared);
            let writer = shared.write().await?;
            *self = shared.state().with(Right::Held(Arc::new(writer)));
        }
        Ok(())
    }
}

use crate::lock::LockError;
use crate::store::StoreError;
use std::sync::Arc;

/// Why a guard did not carry out a command.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Others came between each time. Nothing was changed. Trying again helps once there are fewer of them.
    #[error("others came between in each of {attempts} attempts")]
    Starved {
        /// How often it was tried.
        attempts: u32,
    },
    /// The lock was held by others for as long as one was to wait. Nothing was changed. Trying again helps later.
    #[error("the lock was held by others for too long")]
    LockHeld,
    /// The lock service cannot be reached. Nothing was changed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// What the store says. [`StoreError::Fenced`] is what a holder of a lock is told that has outlived its lease: nothing was changed.
    #[error(transparent)]
    Store(Arc<StoreError>),
}

impl GuardError {
    /// Whether the command may have been carried out all the same: the connection was lost during the commit.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Store(error) if matches!(**error, StoreError::Ambiguous(_)))
    }
}

impl From<Arc<StoreError>> for GuardError {
    fn from(error: Arc<StoreError>) -> Self {
        Self::Store(error)
    }
}

impl From<StoreError> for GuardError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

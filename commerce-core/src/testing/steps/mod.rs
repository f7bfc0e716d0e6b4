//! A store and a lock service that stop at each step, so that a test can let somebody stall or crash there.

mod locks;
mod repositories;
mod store;

pub use locks::SteppedLocks;
pub use store::SteppedStore;

use async_trait::async_trait;

/// What is about to be done, or was done just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A lock is asked for.
    Acquire,
    /// A lock was granted, and the holder does not know it yet.
    Acquired,
    /// A unit of work begins.
    Begin,
    /// Rows are read, and locked in most units of work.
    Read,
    /// Rows are written.
    Write,
    /// A unit of work is committed.
    Commit,
    /// It was committed, and whoever did it does not know it yet.
    Committed,
    /// A lock is let go.
    Release,
}

/// Is told of each step and may take its time, or for ever.
#[async_trait]
pub trait Steps: Send + Sync {
    /// Waits until the step may be taken.
    async fn at(&self, step: Step);
}

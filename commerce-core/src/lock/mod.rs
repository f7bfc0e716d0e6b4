//! Locks: for what two processes must not do at the same time.
//!
//! [`Locks`] is what a program uses: it tries or waits, renews while the lock is held, tells when it is lost, and lets go when the [`HeldLock`] is
//! dropped. [`DistributedLock`] is the port to the service that grants them for a bounded time.
//!
//! A lock that is leased can be lost while its holder stalls, and no clock tells the holder in time. So the lock only saves work and spares others
//! the collision; what keeps the data right is the [`Fence`]: what a holder writes after a later one has written is refused, by the store
//! ([`FenceRepository`]) or by whatever else the lock protects.

mod fence;
mod fenced;
mod held;
mod locks;
mod name;
mod patience;
mod service;

pub use fence::{Fence, FenceRepository};
pub use fenced::{Fenced, FencedCommands};
pub use held::{HeldLock, Tenure};
pub use locks::Locks;
pub use name::LockName;
pub use patience::{Patience, Wake};
pub use service::{DistributedLock, LockError, LockGrant, LockWatch};

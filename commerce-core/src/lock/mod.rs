//! Distributed locks: for what two processes must not do at the same time.
//!
//! [`DistributedLock`] is the port to the service that grants them. A lock that is leased can be lost while its holder stalls: what the holder
//! writes then is refused because of its [`Fence`], by the store ([`FenceRepository`]) or by whatever else the lock protects.

mod fence;
mod service;

pub use fence::{Fence, FenceRepository};
pub use service::{DistributedLock, LockError, LockGrant};

//! The audit: proves that what is stored adds up.

mod snapshot;

pub use snapshot::AuditSnapshot;

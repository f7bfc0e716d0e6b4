//! The adapters of the commerce order backend: they implement the ports of `commerce-core` over real things.
//!
//! | module | what it is |
//! |---|---|
//! | [`sqlite`] | the store in one SQLite file |
//! | `sql` | what SQLite shares with other SQL databases: repositories and queries over a small dialect |
//! | `mysql` | the store on MySQL or MariaDB (feature `mysql`) |
//! | `redis` | coupon gate, boards, locks, notifications and cache in Redis (feature `redis`) |
//! | `kafka` | the message bus on Kafka (feature `kafka`) |
//! | [`http`] | the routes of a shop, and the server they run on |
//! | [`embedded`] | message bus, locks and notifications inside one process, over the SQLite file |
//! | `distributed` | the parts of a shop on MySQL, Redis and Kafka (feature `distributed`) |
//! | [`password`] | argon2id password hashes |
//! | [`clock`], [`random`] | the system's clock and randomness |

pub mod clock;
pub mod password;
pub mod random;

#[cfg(feature = "distributed")]
pub mod distributed;
#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(feature = "runtime")]
pub mod runtime;

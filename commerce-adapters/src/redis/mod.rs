//! Coupon gate, counters, ranking boards, locks, notifications and read cache in Redis, for a shop on more than one machine.
//!
//! [`Redis`] is a server, the master behind Sentinels, or a Cluster; everything else is made from one. Whatever belongs together is changed by one
//! script in one step, and all keys of a script have one hash tag, so that a Cluster keeps them on one server.

mod board;
mod cache;
mod counter;
mod dialler;
mod gate;
mod handle;
mod line;
mod locks;
mod notifier;
mod options;
mod script;

pub use board::RedisBoard;
pub use cache::RedisCache;
pub use counter::RedisCounter;
pub use gate::RedisGate;
pub use handle::{ConnectError, Redis};
pub use locks::RedisLocks;
pub use notifier::RedisNotifier;
pub use options::{OptionsError, RedisOptions};
pub use script::Script;

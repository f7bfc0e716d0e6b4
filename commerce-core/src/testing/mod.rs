//! What tests are made of: in-memory adapters that keep every promise of the ports, a clock that is set by hand, seeded randomness and
//! faults, judges of what many did at the same time, and the contract suites that every adapter has to pass.
//!
//! Nothing here is fit for production: [`PlainHasher`] does not protect passwords, and what is in memory is lost with the process.

pub mod contract;

mod faults;
mod judge;
mod manual_clock;
mod memory_board;
mod memory_bus;
mod memory_cache;
mod memory_locks;
mod memory_notifier;
mod memory_store;
mod plain_hasher;
mod released_too_early;
mod seeded_random;
mod steps;
mod wrapped;

pub use faults::{Fault, FaultCounts, FaultyStore};
pub use judge::{Refusals, Told, judge_coupons, judge_points, judge_stock};
pub use manual_clock::ManualClock;
pub use memory_board::MemoryBoard;
pub use memory_bus::{BusMischief, MemoryBus};
pub use memory_cache::MemoryCache;
pub use memory_locks::MemoryLocks;
pub use memory_notifier::MemoryNotifier;
pub use memory_store::MemoryStore;
pub use plain_hasher::PlainHasher;
pub use released_too_early::ReleasedTooEarly;
pub use seeded_random::SeededRandom;
pub use steps::{Step, SteppedLocks, SteppedStore, Steps};

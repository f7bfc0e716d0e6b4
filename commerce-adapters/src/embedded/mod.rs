//! Bus, cache, locks and notifications for a shop in one process: nothing to install, and nothing lost by a kill.

mod bus;
mod cache;
mod locks;
mod notifier;
mod progress;
mod shop;
mod subscription;

pub use bus::EmbeddedBus;
pub use cache::InProcessCache;
pub use locks::InProcessLocks;
pub use notifier::InProcessNotifier;
pub use shop::{CloseError, EmbeddedParts, OpenError};

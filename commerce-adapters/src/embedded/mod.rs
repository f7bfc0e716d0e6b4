//! Bus, locks and notifications for a shop in one process: nothing to install, and nothing lost by a kill.

mod bus;
mod locks;
mod notifier;
mod parts;
mod progress;
mod subscription;

pub use bus::EmbeddedBus;
pub use locks::InProcessLocks;
pub use notifier::InProcessNotifier;
pub use parts::{EmbeddedParts, OpenError};

//! Bus, locks and notifications for a shop in one process: nothing to install, and nothing lost by a kill.

mod bus;
mod locks;
mod notifier;
mod progress;
mod shop;
mod subscription;

pub use bus::EmbeddedBus;
pub use locks::InProcessLocks;
pub use notifier::InProcessNotifier;
pub use shop::{CloseError, EmbeddedParts, OpenError};

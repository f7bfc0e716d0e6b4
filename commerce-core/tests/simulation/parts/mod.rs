//! What a process of the shop is made of: every port goes through a plug that can be pulled, and meets the weather of the run.

mod board;
mod bus;
mod cache;
mod gate;
mod locks;
mod notifier;
mod plug;
mod store;
mod weather;

pub(crate) use board::PluggedBoard;
pub(crate) use bus::PluggedBus;
pub(crate) use cache::PluggedCache;
pub(crate) use gate::PluggedGate;
pub(crate) use locks::PluggedLocks;
pub(crate) use notifier::PluggedNotifier;
pub(crate) use plug::{Moment, Plug};
pub(crate) use store::PluggedStore;
pub(crate) use weather::{Call, Weather};

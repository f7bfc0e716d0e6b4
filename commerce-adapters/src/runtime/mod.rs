//! What the binaries share: arguments, telemetry, wiring, signals, exit codes, and the demo shop.

mod args;
mod consumer;
mod demo;
mod drain;
mod failure;
mod listeners;
mod progress;
mod say;
mod scheduler;
mod secret;
mod server;
#[cfg(feature = "distributed")]
mod servers;
mod set_up;
mod shop;
mod signals;
mod telemetry;

pub use args::{AuthChoice, ConsumerArgs, DurabilityChoice, LogFormat, SchedulerArgs, SecretText, ServerArgs, SharedArgs};
pub use consumer::run_consumer;
pub use demo::{DemoOutcome, fill_demo};
pub use failure::Failure;
use failure::end_now;
pub use progress::Progress;
use say::remark;
pub use say::say;
pub use scheduler::run_scheduler;
pub use server::run_server;
pub use shop::{OpenShop, Presence, Topology, create_topics, migrate};
pub use signals::Signals;
pub use telemetry::{start_logging, start_logging_of_a_tool};

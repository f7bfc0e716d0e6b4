//! What the binaries share: arguments, telemetry, wiring, signals, exit codes, and the demo shop.

mod args;
mod demo;
mod drain;
mod failure;
mod progress;
mod scheduler;
mod secret;
mod server;
mod signals;
mod telemetry;
mod wiring;

pub use args::{AuthChoice, LogFormat, SchedulerArgs, ServerArgs, SharedArgs, StoreUrl};
pub use demo::{DemoOutcome, fill_demo};
pub use failure::Failure;
pub use progress::Progress;
pub use scheduler::run_scheduler;
pub use server::run_server;
pub use signals::Signals;
pub use telemetry::{start_logging, start_logging_of_a_tool};
pub use wiring::{Company, check_calendar, close, migrate, open_alone, open_alone_or_beside, open_beside};

//! The jobs of a shop that are due by the clock, in a process of their own.

use clap::Parser;
use commerce_adapters::runtime::{Failure, SchedulerArgs, SharedArgs, run_scheduler};
use std::process::ExitCode;

/// Does the jobs of a shop that are due by the clock: all of them until a signal ends it, or one of them once
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(flatten)]
    scheduler: SchedulerArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { shared, scheduler } = Arguments::parse();
    Failure::exit(run_scheduler(shared, scheduler).await).await
}

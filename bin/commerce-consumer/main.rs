//! Handles the events of a shop on more than one machine.

use clap::Parser;
use commerce_adapters::runtime::{ConsumerArgs, Failure, SharedArgs, run_consumer};
use std::process::ExitCode;

/// Handles the events of a shop on MySQL, Redis and Kafka, until a signal ends it
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(flatten)]
    consumer: ConsumerArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { shared, consumer } = Arguments::parse();
    Failure::exit(run_consumer(shared, consumer).await).await
}

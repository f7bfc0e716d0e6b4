//! The HTTP server of a shop. On the embedded set-up it also handles the events and does the jobs.

use clap::Parser;
use commerce_adapters::runtime::{Failure, ServerArgs, SharedArgs, run_server};
use std::process::ExitCode;

/// The HTTP server of a shop
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { shared, server } = Arguments::parse();
    Failure::exit(run_server(shared, server).await).await
}

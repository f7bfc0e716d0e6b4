//! What an operator does to a shop besides serving it.

mod audit;
mod create_admin;
mod dead_letters;
mod fill;
mod rebuild;
mod topics;

use clap::{Parser, Subcommand};
use commerce_adapters::runtime::{Failure, SharedArgs, start_logging_of_a_tool};
use std::process::ExitCode;

/// Looks after a shop: schema, demo data, administrators, audit, dead letters, gates and rankings
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database to the schema of this version
    Migrate,
    /// Make the topics in Kafka that are missing, for a shop on servers
    Topics(topics::Arguments),
    /// Fill an empty database with the demo shop
    Demo,
    /// Make an administrator; the password comes from standard input
    CreateAdmin(create_admin::Arguments),
    /// Check every invariant, beside a running server or without one: exit code 0 if all hold, 1 if one does not
    Audit(audit::Arguments),
    /// See and replay the events that could not be handled
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Tell the gate of a coupon anew what was issued, beside a running server or without one
    RebuildGate(rebuild::GateArguments),
    /// Count the sales of days anew, beside a running server or without one
    RebuildRanking(rebuild::RankingArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { shared, command } = Arguments::parse();
    start_logging_of_a_tool(shared.log);
    let outcome = match command {
        Command::Migrate => fill::migrate(&shared).await,
        Command::Topics(arguments) => topics::run(&shared, arguments).await,
        Command::Demo => fill::demo(&shared).await,
        Command::CreateAdmin(arguments) => create_admin::run(&shared, arguments).await,
        Command::Audit(arguments) => audit::run(&shared, arguments).await,
        Command::DeadLetters(command) => dead_letters::run(&shared, command).await,
        Command::RebuildGate(arguments) => rebuild::gate(&shared, arguments).await,
        Command::RebuildRanking(arguments) => rebuild::ranking(&shared, arguments).await,
    };
    Failure::exit(outcome).await
}

use commerce_adapters::runtime::{Failure, SharedArgs, create_topics, say};
use std::num::NonZeroU16;

/// The options of `topics`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many partitions a topic has: as many consumers at most share its work
    #[arg(long, env = "COMMERCE_PARTITIONS", value_name = "N", default_value = "12")]
    partitions: NonZeroU16,

    /// How many brokers keep a copy of it
    #[arg(long, env = "COMMERCE_REPLICAS", value_name = "N", default_value = "1")]
    replicas: NonZeroU16,
}

pub(crate) async fn run(shared: &SharedArgs, Arguments { partitions, replicas }: Arguments) -> Result<(), Failure> {
    for line in create_topics(shared, partitions, replicas).await? {
        say(line);
    }
    Ok(())
}

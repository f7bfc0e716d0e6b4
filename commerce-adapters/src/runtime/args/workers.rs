use super::values::{group, job};
use clap::Args;
use commerce_core::messaging::Group;
use commerce_core::scheduler::Job;
use std::net::SocketAddr;

/// The options of the consumer.
#[derive(Debug, Clone, Args)]
pub struct ConsumerArgs {
    /// The groups to handle events for: stock, coupon, order, notification, coupon-issuer, coupon-gate or ranking [default: all of them]
    #[arg(long, env = "COMMERCE_GROUPS", value_name = "GROUP[,…]", value_delimiter = ',', value_parser = group)]
    pub groups: Vec<Group>,

    /// An address for healthz, readyz and metrics
    #[arg(long, env = "COMMERCE_OPS_LISTEN", value_name = "ADDR:PORT")]
    pub ops_listen: Option<SocketAddr>,
}

impl ConsumerArgs {
    /// The groups that are asked for, each once.
    pub fn groups(&self) -> Vec<Group> {
        if self.groups.is_empty() {
            return Group::ALL.to_vec();
        }
        Group::ALL.into_iter().filter(|group| self.groups.contains(group)).collect()
    }
}

/// The options of the scheduler.
#[derive(Debug, Clone, Args)]
pub struct SchedulerArgs {
    /// Do one job and end: ranking, expire-orders, sweep-coupons or housekeeping
    #[arg(long, env = "COMMERCE_ONCE", value_name = "JOB", value_parser = job)]
    pub once: Option<Job>,

    /// An address for healthz, readyz and metrics
    #[arg(long, env = "COMMERCE_OPS_LISTEN", value_name = "ADDR:PORT")]
    pub ops_listen: Option<SocketAddr>,
}

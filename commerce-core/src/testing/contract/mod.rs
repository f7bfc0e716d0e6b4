//! The contract suites: what an adapter MUST do, as plain functions over the port, each named after the promise it checks.
//!
//! An adapter's test calls one entry point with a function that makes a fresh adapter: [`store`], [`message_bus`], [`distributed_lock`], [`notifier`],
//! [`coupon_gate`] or [`ranking_board`]. Every check runs on an adapter of its own; the panic of a check that fails says its name.

/// Runs each check on a fresh adapter.
macro_rules! checks {
    ($new:ident: $($check:path),+ $(,)?) => {
        $({
            let fresh = $new().await;
            $crate::testing::contract::runner::run(stringify!($check), Box::pin($check(&*fresh))).await;
        })+
    };
}

mod coupon_gate;
mod distributed_lock;
mod message_bus;
mod notifier;
mod ranking_board;
mod runner;
mod store;

pub use coupon_gate::coupon_gate;
pub use distributed_lock::distributed_lock;
pub use message_bus::{BusUnderTest, Feed, PublishingFeed, message_bus};
pub use notifier::notifier;
pub use ranking_board::ranking_board;
pub use store::store;

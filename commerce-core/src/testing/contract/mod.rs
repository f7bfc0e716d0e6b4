//! The contract suites: what an adapter MUST do, as plain functions over the port, each named after the promise it checks.
//!
//! An adapter's test calls one entry point with a function that makes a fresh adapter: [`store`], [`message_bus`], [`distributed_lock`], [`notifier`],
//! [`coupon_gate`], [`ranking_board`], [`read_cache`] or [`admission_counter`]. [`guards`] and
//! [`guard_rush`] check what the core makes of a store. Every check runs on an adapter of its own; the panic of a check that fails says its name.

/// Runs each check on a fresh adapter.
macro_rules! checks {
    ($new:ident: $($check:path),+ $(,)?) => {
        checks! { $new within $crate::testing::contract::runner::CHECK_MAX; $($check),+ }
    };
    ($new:ident within $max:expr; $($check:path),+ $(,)?) => {
        $({
            let fresh = $new().await;
            $crate::testing::contract::runner::run(stringify!($check), $max, Box::pin($check(&*fresh))).await;
        })+
    };
}

mod admission_counter;
mod coupon_gate;
mod distributed_lock;
mod guards;
mod message_bus;
mod notifier;
mod ranking_board;
mod read_cache;
mod runner;
mod store;

pub use admission_counter::admission_counter;
pub use coupon_gate::coupon_gate;
pub use distributed_lock::distributed_lock;
pub use guards::{guard_rush, guards};
pub use message_bus::{BusUnderTest, Feed, PublishingFeed, message_bus};
pub use notifier::notifier;
pub use ranking_board::ranking_board;
pub use read_cache::read_cache;
pub use store::store;

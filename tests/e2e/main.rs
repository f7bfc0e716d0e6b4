//! The shop from outside: real servers, real files, real sockets. Every test ends with an audit.

#[path = "../harness/customers/mod.rs"]
mod customers;
#[path = "../harness/mod.rs"]
mod harness;

mod audit;
mod bad_input;
mod bounds;
mod buyer;
mod command_line;
mod coupon_orders;
mod coupon_streams;
mod coupons;
mod crash;
mod crash_load;
mod events;
mod expiry;
mod file;
mod idempotency;
mod identity;
mod journey;
mod listener;
mod operations;
mod order;
mod protocol;
mod race;
mod ranking;
mod refund;
mod scheduler;
mod shop;

use customers::client;

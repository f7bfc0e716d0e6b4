//! The HTTP API against its contract, on the in-memory parts of the core.

mod caps;
mod coupon_publish;
mod coupon_status;
mod coupons;
mod idempotency;
mod listener;
mod openapi;
mod orders;
mod payments;
mod points;
mod problems;
mod products;
mod refusals;
mod server;
mod shop;
mod streams;
mod tokens;
mod users;

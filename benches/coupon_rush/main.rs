//! A rush for one coupon against the real server over real sockets: every customer asks once, many times more than there are coupons, with every
//! commit synced to the disk.
//!
//! ```text
//! cargo bench --bench coupon_rush                                      # 40 connections, 2,000 coupons, 100,000 customers
//! cargo bench --bench coupon_rush -- CONNECTIONS=256 STOCK=500         # knobs as arguments or environment variables
//! cargo bench --bench coupon_rush -- OVERSUBSCRIBED=10 AUTH=off        # 10 customers a coupon; without tokens
//! ```
//!
//! It also measures its own limit in the same run: how many answers a second the same server gives to the same client when there is nothing to
//! decide. It ends with exit code 1 if any request failed, an audit found something, or not exactly the stock was issued.

#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/mod.rs"]
mod harness;
#[path = "../measure/mod.rs"]
mod measure;

mod knobs;
mod racers;
mod rush;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match knobs::Knobs::read() {
        Ok(knobs) => measure::verdict(&rush::run(knobs).await),
        Err(wrong) => measure::wrong_usage(&wrong),
    }
}

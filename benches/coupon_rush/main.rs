//! A rush for one coupon against the real servers over real sockets: every customer asks once, many times more than there are coupons, with every
//! commit synced to the disk. On one file always; on MySQL or MariaDB with Redis and Kafka, two API servers and a consumer, when the addresses are given.
//!
//! ```text
//! cargo bench --bench coupon_rush                                      # 40 connections, 2,000 coupons, 100,000 customers
//! cargo bench --bench coupon_rush -- CONNECTIONS=256 STOCK=500         # knobs as arguments or environment variables
//! cargo bench --bench coupon_rush -- OVERSUBSCRIBED=10 AUTH=off        # 10 customers a coupon; without tokens
//! scripts/services up && eval "$(scripts/services env)"
//! cargo bench --bench coupon_rush --features distributed -- ON=mysql   # only on servers: file, mysql, mariadb, with commas in between
//! ```
//!
//! It also measures its own limits in the same run: how many answers a second the same servers give to the same client when there is nothing to
//! decide, and, where the gate is in Redis, how often `redis-benchmark` has a script decide the same. It ends with exit code 1 if any request failed,
//! an audit found something, or not exactly the stock was issued.

#[expect(dead_code, reason = "books are read by others")]
#[path = "../figures/mod.rs"]
mod figures;
#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/mod.rs"]
mod harness;
#[expect(dead_code, reason = "the other benchmarks, which share it, need more of it")]
#[path = "../measure/mod.rs"]
mod measure;
#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/place.rs"]
mod place;
#[cfg(feature = "distributed")]
#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/premises.rs"]
mod premises;
#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/staff.rs"]
mod staff;

mod customers;
mod knobs;
mod racers;
#[cfg(feature = "distributed")]
mod redis_benchmark;
mod rush;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match knobs::Knobs::read() {
        Ok(knobs) => measure::verdict(&rush::run(&knobs).await),
        Err(wrong) => measure::wrong_usage(&wrong),
    }
}

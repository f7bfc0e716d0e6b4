//! Complete purchases against the real server over real sockets: charge, order, pay, read the order. All on one hot product option unless told
//! otherwise, with every commit synced to the disk.
//!
//! ```text
//! cargo bench --bench purchase                                   # 40 connections, 10 seconds after 2 of warm-up, one hot option
//! cargo bench --bench purchase -- CONNECTIONS=8 SECONDS=30       # knobs as arguments or environment variables
//! cargo bench --bench purchase -- SPREAD=1 POLL=1 AUTH=off       # all products; poll instead of waiting; without tokens
//! ```
//!
//! It ends with exit code 1 if any request failed, an audit found something, or the stock that was taken is not what was sold.

#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/mod.rs"]
mod harness;
#[path = "../measure/mod.rs"]
mod measure;

mod disk;
mod driver;
mod figures;
mod knobs;
mod load;
mod shop;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match knobs::Knobs::read() {
        Ok(knobs) => measure::verdict(&load::run(knobs).await),
        Err(wrong) => measure::wrong_usage(&wrong),
    }
}

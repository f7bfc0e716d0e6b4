//! Complete purchases against the real servers over real sockets: charge, order, pay, read the order. All on one hot product option unless told
//! otherwise, with every commit synced to the disk. On one file always; on MySQL or MariaDB with Redis and Kafka, two API servers and a consumer, when
//! the addresses are given.
//!
//! ```text
//! cargo bench --bench purchase                                      # 8, 40 and 256 buyers, 10 seconds each after 2 of warm-up, one hot option
//! cargo bench --bench purchase -- BUYERS=1,8 SECONDS=30             # knobs as arguments or environment variables
//! cargo bench --bench purchase -- SPREAD=1 POLL=1 AUTH=off          # all products; poll instead of waiting; without tokens
//! cargo bench --bench purchase -- AT_ONCE=2                         # so many transactions of each process at once, on servers
//! scripts/services up && eval "$(scripts/services env)"
//! cargo bench --bench purchase --features distributed -- ON=mysql   # only on servers: file, mysql, mariadb, with commas in between
//! ```
//!
//! Each set-up is measured once more with a transaction for every command, which locks its rows with `SELECT … FOR UPDATE` where there is more than
//! one writer: the ratio is what group commit gains. It ends with exit code 1 if any request failed, an audit found something, or the stock that was
//! taken is not what was sold.

#[expect(dead_code, reason = "books are read by others")]
#[path = "../figures/mod.rs"]
mod figures;
#[expect(dead_code, reason = "the tests, which share it, need more of it")]
#[path = "../../tests/harness/mod.rs"]
mod harness;
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

mod disk;
mod driver;
mod knobs;
mod load;
mod results;
mod wares;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match knobs::Knobs::read() {
        Ok(knobs) => measure::verdict(&load::run(&knobs).await),
        Err(wrong) => measure::wrong_usage(&wrong),
    }
}

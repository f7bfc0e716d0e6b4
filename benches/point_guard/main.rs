//! Which guard is best for a balance that many change: every guard of the library, in crowds of 1 to 256, for one hot account and for a thousand; in a
//! file, and on MySQL and MariaDB, with locks in Redis too, when their addresses are given.
//!
//! ```text
//! cargo bench --bench point_guard                                              # embedded; servers need --features distributed and an address
//! cargo bench --bench point_guard -- 'file/(row lock|group commit)'            # two of the guards
//! COMMERCE_BENCH_MS=5000 cargo bench --bench point_guard                       # five seconds for each setting instead of one
//! ```
//!
//! Balances have to be the sum of the charges that were answered, and the ledgers have to have a line for each: a guard that fails this is shown as
//! WRONG, its figures count for nothing, and it ends with exit code 1. A guard that is wrong on purpose has to be caught by that.

#[expect(dead_code, reason = "other benches need more of it")]
#[path = "../contest/mod.rs"]
mod contest;
#[path = "../purchase/disk.rs"]
mod disk;
#[expect(dead_code, reason = "books are read by others")]
#[path = "../figures/mod.rs"]
mod figures;
#[path = "../guards/mod.rs"]
mod guards;

mod purse;

use std::process::ExitCode;

fn main() -> ExitCode {
    guards::run::<purse::Purse>()
}

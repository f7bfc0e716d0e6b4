//! Which guard is best for the stock of an option that many want: every guard of the library, in crowds of 1 to 256, for one hot option and for a
//! thousand; in a file, and on MySQL and MariaDB, with locks in Redis too, when their addresses are given.
//!
//! ```text
//! cargo bench --bench stock_guard                                              # embedded; servers need --features distributed and an address
//! cargo bench --bench stock_guard -- 'file/(row lock|group commit)'            # two of the guards
//! COMMERCE_BENCH_MS=5000 cargo bench --bench stock_guard                       # five seconds for each setting instead of one
//! ```
//!
//! Every unit that was answered as taken has to be gone from the stock and to stand in its ledger, and nothing else: a guard that fails this is
//! shown as WRONG, its figures count for nothing, and it ends with exit code 1. A guard that is wrong on purpose has to be caught by that.

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

mod shelf;

use std::process::ExitCode;

fn main() -> ExitCode {
    guards::run::<shelf::Shelf>()
}

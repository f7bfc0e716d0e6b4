//! What it costs to take a lock and let it go, alone and in a crowd: in one process, in Redis, and by `GET_LOCK` on MySQL and MariaDB.
//!
//! ```text
//! cargo bench --bench lock_paths                                    # embedded; servers need --features distributed and an address
//! cargo bench --bench lock_paths -- told                            # what has "told" in its name
//! COMMERCE_BENCH_MS=5000 cargo bench --bench lock_paths             # five seconds for each setting instead of one
//! ```
//!
//! Whoever holds a lock reads a number, lets others run, and writes it back one larger: if two ever held it, the sum is wrong, and so are figures.
//! It ends with exit code 1 then.

#[expect(dead_code, reason = "other benches need more of it")]
#[path = "../contest/mod.rs"]
mod contest;
#[expect(dead_code, reason = "books are read by others")]
#[path = "../figures/mod.rs"]
mod figures;

mod section;
mod services;

use contest::Arena;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arena = match Arena::open("lock_paths") {
        Ok(arena) => arena,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return ExitCode::from(2);
        }
    };
    services::mutex(&mut arena);
    services::in_process(&mut arena);
    #[cfg(feature = "distributed")]
    {
        services::redis(&mut arena);
        services::get_lock(&mut arena);
    }
    #[cfg(not(feature = "distributed"))]
    arena.left_out("Redis, MySQL and MariaDB, because this was built without the feature distributed".to_owned());
    arena.close(contest::target())
}

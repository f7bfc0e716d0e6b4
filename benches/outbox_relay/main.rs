//! How many events a second leave the database: written to the outbox, read by a group in the same process, and carried to a bus by relays.
//!
//! ```text
//! cargo bench --bench outbox_relay                             # embedded; servers need --features distributed and an address
//! COMMERCE_BENCH_MS=5000 cargo bench --bench outbox_relay      # five seconds for each setting instead of one
//! ```
//!
//! Contenders are relays, keys are orders whose events keep their order. Each event has to arrive, once, and behind those of its order that were
//! written before: else the figures count for nothing, and it ends with exit code 1.

#[expect(dead_code, reason = "other benches need more of it")]
#[path = "../contest/mod.rs"]
mod contest;
#[expect(dead_code, reason = "books are read by others")]
#[path = "../figures/mod.rs"]
mod figures;

mod events;
mod paths;
mod sink;

use contest::Arena;
use contest::place::Place;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arena = match Arena::open("outbox_relay") {
        Ok(arena) => arena,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return ExitCode::from(2);
        }
    };
    let place = arena.runtime().block_on(Place::sqlite(contest::temporary()));
    paths::measure(&mut arena, &place, "file");
    arena.runtime().block_on(place.clear());
    #[cfg(feature = "distributed")]
    for server in contest::server::Server::DATABASES {
        match server.address() {
            Ok(address) => {
                let place = arena.runtime().block_on(Place::database(server, &address));
                paths::measure(&mut arena, &place, server.name());
                arena.runtime().block_on(place.clear());
            }
            Err(why) => arena.left_out(why),
        }
    }
    #[cfg(not(feature = "distributed"))]
    arena.left_out("MySQL and MariaDB, because this was built without the feature distributed".to_owned());
    arena.close(contest::target())
}

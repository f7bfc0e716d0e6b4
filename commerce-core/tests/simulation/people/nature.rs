use super::client::Client;
use std::time::Duration;

const BLOWS: usize = 6;
const PAUSE_MS: u64 = 1_600;
const HOUR_MS: i64 = 3_600_000;
/// Jumps forwards are this far apart: what is under way must not take days.
const BETWEEN_DAYS: Duration = Duration::from_secs(2);

/// Days turn, clocks are wrong, memories get lost, processes die.
pub(crate) async fn rage(client: &Client) {
    let (world, dice) = (&client.world, &client.dice);
    let mut turned_at = tokio::time::Instant::now();
    for _ in 0..BLOWS {
        client.pause(PAUSE_MS).await;
        match dice.below(9) {
            0..3 if turned_at.elapsed() > BETWEEN_DAYS => {
                turned_at = tokio::time::Instant::now();
                let millis = [HOUR_MS, 13 * HOUR_MS, 23 * HOUR_MS][dice.below(3)];
                world.clock.jump(millis);
                world.count("nature", "turns the clock on");
                world.note("nature", &format!("turns the clock on by {} h", millis / HOUR_MS));
            }
            3 => {
                let millis = [1_000, 30_000, HOUR_MS][dice.below(3)];
                world.clock.jump(-millis);
                world.count("nature", "turns the clock back");
                world.note("nature", &format!("turns the clock back by {} s", millis / 1_000));
            }
            4 => wipe(client, &[Memory::Gate]),
            5 => wipe(client, &[Memory::Boards]),
            6 => {
                if let Some(process) = world.any_process(dice) {
                    process.plug.pull();
                    world.count("nature", "kills a process");
                    world.note("nature", "kills a process");
                }
            }
            7 => wipe(client, &[Memory::Gate, Memory::Boards, Memory::Locks]),
            _ => {}
        }
    }
}

/// What can be forgotten.
#[derive(Debug, Clone, Copy)]
enum Memory {
    Gate,
    Boards,
    Locks,
}

fn wipe(client: &Client, memories: &[Memory]) {
    let world = &client.world;
    for memory in memories {
        let what = match memory {
            Memory::Gate => {
                world.gate.wipe();
                world.gate_wiped.set(true);
                "wipes the gate"
            }
            Memory::Boards => {
                world.board.wipe();
                "wipes the boards"
            }
            Memory::Locks => {
                world.locks.end_all();
                "ends all locks"
            }
        };
        world.count("nature", what);
        world.note("nature", what);
    }
}

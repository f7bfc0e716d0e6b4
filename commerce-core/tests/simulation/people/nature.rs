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
        match dice.below(8) {
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
            4 => {
                world.gate.wipe();
                world.gate_wiped.set(true);
                world.count("nature", "wipes the gate");
                world.note("nature", "wipes the gate");
            }
            5 => {
                world.board.wipe();
                world.count("nature", "wipes the boards");
                world.note("nature", "wipes the boards");
            }
            6 => {
                if let Some(process) = world.any_process(dice) {
                    process.plug.pull();
                    world.count("nature", "kills a process");
                    world.note("nature", "kills a process");
                }
            }
            _ => {}
        }
    }
}

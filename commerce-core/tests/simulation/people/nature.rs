use super::client::Client;
use commerce_core::Clock;
use commerce_core::coupon::GateRebuild;
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
        match dice.below(11) {
            0..3 if turned_at.elapsed() > BETWEEN_DAYS => {
                turned_at = tokio::time::Instant::now();
                let millis = [HOUR_MS, 13 * HOUR_MS, 23 * HOUR_MS][dice.below(3)];
                let day = || world.settings.calendar.day_of(world.clock.now());
                let before = day();
                world.clock.jump(millis);
                world.count("nature", "turns the clock on");
                if day() > before {
                    world.count("nature", "lets a day turn");
                }
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
            7 => wipe(client, &[Memory::Gate, Memory::Boards, Memory::Cache, Memory::Locks]),
            8 => rebuild_a_gate(client).await,
            9 => count_a_day_anew(client).await,
            _ => {}
        }
    }
}

/// An operator has a gate rebuilt while people pass it, or asks whoever handles events to do it.
async fn rebuild_a_gate(client: &Client) {
    let Some(coupon) = client.dice.pick(&client.world.catalog.borrow().coupons) else { return };
    if client.dice.below(2) == 0 {
        let asked = client.ask(async |commerce| commerce.ask_for_gate(coupon).await.is_ok()).await;
        client.world.count("operator", if asked == Some(true) { "asks for a gate" } else { "fails to ask for a gate" });
        client.world.note("operator", &format!("asks for the gate of coupon {coupon} – {asked:?}"));
        return;
    }
    let open = |rebuilt| matches!(rebuilt, Ok(GateRebuild::Open { .. }));
    let rebuilt = client.ask(async |commerce| open(commerce.gate_keeper().rebuild(coupon).await)).await;
    client.world.count("operator", if rebuilt == Some(true) { "rebuilds a gate" } else { "fails at a gate" });
    client.world.note("operator", &format!("has the gate of coupon {coupon} rebuilt – {rebuilt:?}"));
}

/// An operator has a day of the ranking counted anew while sales are made.
async fn count_a_day_anew(client: &Client) {
    let today = client.world.settings.calendar.day_of(client.world.clock.now());
    let day = today.before([0, 1, 2][client.dice.below(3)]);
    let counted = client.ask(async |commerce| commerce.ranking_keeper().rebuild(day, today).await.is_ok_and(|sales| sales.is_some())).await;
    client.world.count("operator", if counted == Some(true) { "counts a day anew" } else { "fails at a day" });
    client.world.note("operator", &format!("has {day} counted anew – {counted:?}"));
}

/// What can be forgotten.
#[derive(Debug, Clone, Copy)]
enum Memory {
    Gate,
    Boards,
    Cache,
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
            Memory::Cache => {
                world.cache.wipe();
                "wipes the cache"
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

//! How every fault is played: customers want things of the shop, it is struck, it recovers, all becomes quiet, and everything is true.

use super::customers::{Chance, Crowd, Offers, Pace, eventually_within};
use super::recovery::{Recovery, present_rate};
use super::report::{self, Played};
use super::stage::Stage;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const CUSTOMERS: u32 = 12;
const COUPONS: u32 = 30;
/// Fewer than there are customers, so that the gates refuse some.
const COUPON_STOCK: i64 = 8;
/// They leave the shop some air: it is not its speed that is looked at.
const PACE: Pace = Pace(Duration::from_millis(25));
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the customers stay once the shop has recovered.
const AFTERWARDS: Duration = Duration::from_millis(500);
const RECOVERY_WITHIN: Duration = Duration::from_mins(1);

/// Plays a fault on a shop under load. `strike` does it and undoes it, and answers when it was over: from then on the shop is to recover.
pub(crate) async fn play(
    stage: &mut Stage,
    fault: &'static str,
    strike: impl AsyncFnOnce(&mut Stage, &super::customers::Journal) -> Instant,
) {
    let mut chance = Chance::of(RandomState::new().build_hasher().finish());
    let offers = Offers::put_up(&mut stage.client(), COUPONS, COUPON_STOCK).await;
    let names = stage.next_name("c") + "n";
    let mut crowd = Crowd::gather(&names, CUSTOMERS, PACE, stage.doors(), offers, &mut chance).await;
    let recovery = crowd.lives_while(async |_, journal| {
        sleep(WARM_UP).await;
        let normal_rate = present_rate(journal);
        let over = strike(stage, journal).await;
        let mut recovery = None;
        eventually_within(RECOVERY_WITHIN, "the shop has recovered", async || {
            recovery = Recovery::since(over, normal_rate, journal);
            recovery.is_some()
        })
        .await;
        sleep(AFTERWARDS).await;
        recovery.expect("it has recovered")
    });
    let recovery = recovery.await;
    let closed = Instant::now();
    crowd.holds_the_shop_to_it().await;
    stage.is_sound().await;
    report::note(Played { fault, tally: crowd.journal.tally(), recovery, quiet_after: closed.elapsed() });
}

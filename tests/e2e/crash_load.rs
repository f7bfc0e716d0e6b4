//! A server that is ended or killed at random moments under all kinds of requests: whatever anybody was told is true afterwards.

use crate::customers::{Chance, Crowd, Doors, Offers, Pace};
use crate::place::SetUp;
use crate::shop::Shop;
use futures_util::FutureExt;
use rustix::process::Signal;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

cases! {
    EVERYWHERE:
        whatever_anybody_was_told_is_true_after_many_kills_at_random_moments,
    ;
    ON_ONE_FILE:
        a_server_that_is_told_to_end_under_load_leaves_nothing_undone,
        customers_notice_what_is_lost_or_made_twice,
}

const CUSTOMERS: u32 = 10;
const COUPONS: u32 = 60;
/// Fewer than there are customers, so that the gate refuses some.
const COUPON_STOCK: i64 = 7;
/// How long they live on after the last kill at most, to have been told enough.
const AFTERWARDS_MAX: Duration = Duration::from_mins(1);
const ARGUMENTS: &[&str] = &["--auth", "off", "--coupon-window", "0s", "--payment-deadline", "3s"];

async fn crowd_at(shop: &Shop, chance: &mut Chance) -> Crowd {
    let doors = Doors::at(&shop.addresses());
    let offers = Offers::put_up(&mut shop.client(), COUPONS, COUPON_STOCK).await;
    Crowd::gather("customer", CUSTOMERS, Pace(Duration::ZERO), doors, offers, chance).await
}

async fn a_server_that_is_told_to_end_under_load_leaves_nothing_undone() {
    const ENDS: u64 = 3;
    let mut chance = Chance::of(RandomState::new().build_hasher().finish());
    let mut shop = Shop::start(ARGUMENTS).await;
    let mut crowd = crowd_at(&shop, &mut chance).await;
    for _ in 0..ENDS {
        let moment = Duration::from_millis(200 + chance.below(300));
        let live = crowd.lives_while(async |_, _| {
            sleep(moment).await;
            shop.signal(Signal::TERM);
            // Nobody is there any more who could finish anything.
            let file = shop.ended().await;
            file.admin(&["audit"]).await.ended(0);
            file
        });
        let file = live.await;
        shop = Shop::on(file, ARGUMENTS).await;
        crowd.doors.are_at(&shop.addresses());
    }
    crowd.holds_the_shop_to_it().await;
    shop.closes_clean().await;
}

async fn whatever_anybody_was_told_is_true_after_many_kills_at_random_moments() {
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("the moments follow from CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    let mut shop = Shop::start(ARGUMENTS).await;
    let mut crowd = crowd_at(&shop, &mut chance).await;
    let journal = Rc::clone(&crowd.journal);
    let (kills, moments, enough) = match SetUp::of_this_test() {
        SetUp::OneFile => (22, 20..520, [50, 100, 50]),
        // Six processes die each time, and six are started; it takes them a while until they have all found each other.
        SetUp::Servers => (6, 500..4_000, [20, 20, 20]),
    };
    let live = crowd.lives_while(async |doors, _| {
        let mut killed = Vec::new();
        for _ in 0..kills {
            sleep(Duration::from_millis(moments.start + chance.below(moments.end - moments.start))).await;
            killed.push(Instant::now());
            shop = shop.crash_and_restart().await;
            doors.are_at(&shop.addresses());
        }
        sleep(Duration::from_millis(500)).await;
        (shop, killed)
    });
    let (shop, kills) = live.await;
    // A slow machine has done little by now.
    let so_long = Instant::now() + AFTERWARDS_MAX;
    while Instant::now() < so_long && crowd.was_told().iter().zip(enough).any(|(told, enough)| *told <= enough) {
        crowd.lives_while(async |_, _| sleep(Duration::from_millis(500)).await).await;
    }
    crowd.holds_the_shop_to_it().await;
    let [charges, orders, coupons] = crowd.was_told();
    println!("told of {charges} charges, {orders} orders and {coupons} places; requests: {:?}", journal.tally());
    let told = [charges, orders, coupons];
    assert!(told.iter().zip(enough).all(|(told, enough)| *told > enough), "too little was under way: {told:?}");
    let mut recoveries: Vec<_> = kills.iter().flat_map(|killed| journal.first_served_since(*killed)).map(|(_, time)| time).collect();
    recoveries.sort_unstable();
    let (half, most) = (recoveries[recoveries.len() / 2], recoveries[recoveries.len() * 99 / 100]);
    println!("from a kill until each kind of request was served: half in {half:?}, 99 of 100 in {most:?}");
    shop.closes_clean().await;
}

async fn customers_notice_what_is_lost_or_made_twice() {
    let mut chance = Chance::of(7);
    let mut shop = Shop::start(ARGUMENTS).await;
    let mut crowd = crowd_at(&shop, &mut chance).await;
    let damages = [
        "UPDATE point_entries SET amount = amount + 1000000 WHERE id = (SELECT min(id) FROM point_entries WHERE kind = 'CHARGE')",
        "UPDATE orders SET status = 'CANCELLED' WHERE id = (SELECT min(id) FROM orders WHERE status = 'COMPLETED')",
        "UPDATE user_coupons SET place = place + 1000 WHERE id = (SELECT min(id) FROM user_coupons)",
        "DELETE FROM orders WHERE id = (SELECT min(id) FROM orders WHERE status = 'CANCELLED')",
    ];
    // Until there is something to be damaged by each.
    let sound = loop {
        crowd.lives_while(async |_, _| sleep(Duration::from_secs(1)).await).await;
        crowd.holds_the_shop_to_it().await;
        let file = shop.stop().await;
        let cancelled = file.number("SELECT COUNT(*) FROM orders WHERE status = 'CANCELLED'").await;
        let completed = file.number("SELECT COUNT(*) FROM orders WHERE status = 'COMPLETED'").await;
        if cancelled > 0 && completed > 0 && file.number("SELECT COUNT(*) FROM user_coupons").await > 0 {
            break file;
        }
        shop = Shop::on(file, ARGUMENTS).await;
        crowd.doors.are_at(&shop.addresses());
    };
    for damage in damages {
        let file = sound.copy();
        file.tamper(damage).await;
        shop = Shop::on(file, ARGUMENTS).await;
        crowd.doors.are_at(&shop.addresses());
        println!("customers are to notice, and to panic: {damage}");
        let noticed = AssertUnwindSafe(crowd.holds_the_shop_to_it()).catch_unwind().await;
        assert!(noticed.is_err(), "nobody noticed: {damage}");
    }
    shop = Shop::on(sound, ARGUMENTS).await;
    crowd.doors.are_at(&shop.addresses());
    crowd.holds_the_shop_to_it().await;
    shop.closes_clean().await;
}

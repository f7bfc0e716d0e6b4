//! The popularity ranking: three full business days, without today.

use crate::shop::Shop;
use commerce_core::messaging::Group;
use commerce_core::scheduler::{Job, Scheduler};
use commerce_core::store::PageLimit;
use commerce_core::testing::MemoryBoard;
use commerce_core::user::Actor;
use commerce_core::{BusinessCalendar, Commerce, PaymentId, ProductId, Settings, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const A_MINUTE: Duration = Duration::from_mins(1);

fn at(text: &str) -> Timestamp {
    BusinessCalendar::UTC.parse_instant(text).unwrap()
}

fn shop_in(zone: &str) -> Shop {
    Shop::with(Settings { calendar: BusinessCalendar::named(zone).unwrap(), ..Settings::default() }, |_| {})
}

/// Sells units of a product at an instant.
async fn sell(shop: &Shop, product: ProductId, units: i64, when: &str) -> PaymentId {
    shop.clock.set(at(when));
    let buyer = shop.user(1_000_000).await;
    let option = shop.commerce.product(product).await.unwrap().unwrap().options[0].id;
    let order = shop.place(buyer, &[(option, units)], None).await;
    shop.settle().await;
    let payment = shop.commerce.pay(order, buyer).await.unwrap().id;
    shop.deliver(Group::Ranking).await;
    payment
}

/// Who leads at an instant, with how many units.
async fn ranked(shop: &Shop, when: &str) -> Vec<(ProductId, u64)> {
    shop.clock.set(at(when));
    let ranked = shop.commerce.best_sellers(PageLimit::default()).await.unwrap();
    assert!(ranked.iter().enumerate().all(|(index, product)| product.rank == index + 1));
    ranked.into_iter().map(|it| (it.product.id, it.sold)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_window_is_three_full_days_without_today() {
    // Given one sale in each of five days, told apart by their numbers of units,
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 1_000).await.id;
    for (units, when) in [
        (1, "2026-03-01T23:59:59.999Z"),
        (2, "2026-03-02T00:00:00Z"),
        (4, "2026-03-03T12:00:00Z"),
        (8, "2026-03-04T23:59:59.999Z"),
        (16, "2026-03-05T00:00:00Z"),
    ] {
        sell(&shop, product, units, when).await;
    }
    // then each day sees the three before it.
    assert_eq!(ranked(&shop, "2026-03-05T23:59:59.999Z").await, [(product, 2 + 4 + 8)]);
    assert_eq!(ranked(&shop, "2026-03-06T00:00:00Z").await, [(product, 4 + 8 + 16)]);
    assert_eq!(ranked(&shop, "2026-03-09T00:00:00Z").await, []);
}

#[tokio::test(start_paused = true)]
async fn days_turn_at_midnight_of_the_business_time_zone() {
    // Given a shop in Seoul that sells just before and just after midnight there,
    let shop = shop_in("Asia/Seoul");
    let product = shop.product(1_000, 1_000).await.id;
    sell(&shop, product, 1, "2026-03-01T14:59:59.999Z").await;
    sell(&shop, product, 2, "2026-03-01T15:00:00Z").await;
    // then the first sale counts from that midnight on, and the second from the next one on.
    assert_eq!(ranked(&shop, "2026-03-01T15:00:00Z").await, [(product, 1)]);
    assert_eq!(ranked(&shop, "2026-03-02T14:59:59.999Z").await, [(product, 1)]);
    assert_eq!(ranked(&shop, "2026-03-02T15:00:00Z").await, [(product, 3)]);
}

#[tokio::test(start_paused = true)]
async fn best_sellers_come_first_and_ties_are_broken_by_the_smaller_id() {
    let shop = shop_in("UTC");
    let [a, b, c] = [shop.product(1_000, 100).await.id, shop.product(1_000, 100).await.id, shop.product(1_000, 100).await.id];
    for (product, units) in [(c, 5), (b, 3), (a, 3)] {
        sell(&shop, product, units, "2026-03-01T12:00:00Z").await;
    }
    assert_eq!(ranked(&shop, "2026-03-02T12:00:00Z").await, [(c, 5), (a, 3), (b, 3)]);
    let leader = shop.commerce.best_sellers(PageLimit::new(1).unwrap()).await.unwrap();
    assert_eq!(leader.into_iter().map(|it| it.product.id).collect::<Vec<_>>(), [c]);
}

#[tokio::test(start_paused = true)]
async fn orders_that_were_never_paid_do_not_count() {
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 100).await;
    shop.clock.set(at("2026-03-01T12:00:00Z"));
    let buyer = shop.user(0).await;
    let order = shop.place(buyer, &[(product.options[0].id, 3)], None).await;
    shop.settle().await;
    assert!(shop.commerce.pay(order, buyer).await.is_err());
    assert_eq!(ranked(&shop, "2026-03-02T12:00:00Z").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_refund_takes_back_from_the_day_of_the_payment_within_a_minute() {
    // Given a ranking that was shown already,
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 100).await.id;
    let payment = sell(&shop, product, 3, "2026-03-01T12:00:00Z").await;
    sell(&shop, product, 4, "2026-03-02T12:00:00Z").await;
    assert_eq!(ranked(&shop, "2026-03-03T12:00:00Z").await, [(product, 7)]);
    // when a payment of one of its days is refunded today,
    shop.commerce.refund(payment, Actor::Admin).await.unwrap();
    shop.deliver(Group::Ranking).await;
    tokio::time::advance(A_MINUTE).await;
    // then it is taken back, a minute later at the latest.
    let ranked = shop.commerce.best_sellers(PageLimit::default()).await.unwrap();
    assert_eq!(ranked.into_iter().map(|it| it.sold).collect::<Vec<_>>(), [4]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_back_does_not_show_the_future() {
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 100).await.id;
    sell(&shop, product, 3, "2026-03-05T12:00:00Z").await;
    assert_eq!(ranked(&shop, "2026-03-06T00:00:10Z").await, [(product, 3)]);
    assert_eq!(ranked(&shop, "2026-03-05T23:59:59Z").await, []);
    assert_eq!(ranked(&shop, "2026-03-06T00:00:00Z").await, [(product, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_sale_counts_once_however_often_it_is_told() {
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 100).await.id;
    let refunded = sell(&shop, product, 3, "2026-03-01T12:00:00Z").await;
    sell(&shop, product, 4, "2026-03-01T13:00:00Z").await;
    shop.commerce.refund(refunded, Actor::Admin).await.unwrap();
    shop.carry().await;
    shop.repeat_history().await;
    shop.retell_history().await;
    shop.deliver(Group::Ranking).await;
    assert_eq!(ranked(&shop, "2026-03-02T00:00:00Z").await, [(product, 4)]);
}

/// Makes a sale just before midnight and the ranking just after, and tells the board of the sale when its process reads `told_at` on its clock.
async fn sale_told_once_the_ranking_is_made(told_at: &str) {
    // Given a sale of yesterday of which nobody was told before the ranking was made,
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 100).await;
    shop.clock.set(at("2026-03-01T23:59:59.999Z"));
    let buyer = shop.user(10_000).await;
    let order = shop.place(buyer, &[(product.options[0].id, 2)], None).await;
    shop.settle().await;
    let scheduler = Scheduler::new(shop.commerce.clone());
    scheduler.run_once(Job::Ranking).await.unwrap();
    shop.clock.set(at("2026-03-02T00:00:00Z"));
    scheduler.run_once(Job::Ranking).await.unwrap();
    assert_eq!(ranked(&shop, "2026-03-02T00:00:00Z").await, []);
    // when it is told,
    shop.clock.set(at("2026-03-01T23:59:59.999Z"));
    shop.commerce.pay(order, buyer).await.unwrap();
    shop.clock.set(at(told_at));
    shop.deliver(Group::Ranking).await;
    // then it counts, though the ranking of the day was made without it.
    tokio::time::advance(A_MINUTE).await;
    assert_eq!(ranked(&shop, "2026-03-02T00:00:01Z").await, [(product.id, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_is_told_after_the_day_turned_shows_in_the_ranking() {
    sale_told_once_the_ranking_is_made("2026-03-02T00:00:01Z").await;
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_was_on_its_way_when_the_day_turned_shows_in_the_ranking() {
    sale_told_once_the_ranking_is_made("2026-03-01T23:59:59.999Z").await;
}

#[tokio::test(start_paused = true)]
async fn a_board_that_was_lost_is_counted_anew_from_the_payments() {
    // Given a board that is lost in the middle of the day,
    let board = MemoryBoard::new();
    let shop = Shop::with(Settings::default(), |parts| parts.board = Arc::new(board.clone()));
    let product = shop.product(1_000, 100).await.id;
    sell(&shop, product, 3, "2026-03-01T12:00:00Z").await;
    let refunded = sell(&shop, product, 5, "2026-03-01T12:30:00Z").await;
    shop.commerce.refund(refunded, Actor::Admin).await.unwrap();
    shop.deliver(Group::Ranking).await;
    board.wipe();
    sell(&shop, product, 4, "2026-03-01T13:00:00Z").await;
    // when the scheduler looks,
    Scheduler::new(shop.commerce.clone()).run_once(Job::Ranking).await.unwrap();
    // then the day is whole again, and every sale counts once.
    assert_eq!(ranked(&shop, "2026-03-02T00:00:00Z").await, [(product, 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_changes_its_time_zone_counts_by_the_new_one() {
    let board = MemoryBoard::new();
    let shop = Shop::with(Settings::default(), |parts| parts.board = Arc::new(board.clone()));
    let product = shop.product(1_000, 100).await.id;
    sell(&shop, product, 3, "2026-03-01T15:00:00Z").await;
    assert_eq!(ranked(&shop, "2026-03-02T00:00:00Z").await, [(product, 3)]);
    // In Seoul that sale was made on the second of March.
    let settings = Settings { calendar: BusinessCalendar::named("Asia/Seoul").unwrap(), ..Settings::default() };
    let moved = Commerce::open(shop.commerce.parts().clone(), settings);
    assert!(moved.best_sellers(PageLimit::default()).await.unwrap().is_empty());
    shop.clock.set(at("2026-03-02T15:00:00Z"));
    assert_eq!(moved.best_sellers(PageLimit::default()).await.unwrap()[0].sold, 3);
}

#[tokio::test(start_paused = true)]
async fn many_readers_of_a_missing_ranking_make_it_once() {
    let shop = shop_in("UTC");
    let product = shop.product(1_000, 100).await.id;
    sell(&shop, product, 3, "2026-03-01T12:00:00Z").await;
    shop.clock.set(at("2026-03-02T12:00:00Z"));
    let other = Commerce::open(shop.commerce.parts().clone(), Settings::default());
    let readers = (0..100).map(|number| if number % 2 == 0 { shop.commerce.clone() } else { other.clone() });
    let read = readers.map(|shop| tokio::spawn(async move { shop.best_sellers(PageLimit::default()).await.unwrap() }));
    for ranked in futures_util::future::join_all(read).await {
        assert_eq!(ranked.unwrap()[0].sold, 3);
    }
    let grant = shop.commerce.parts().locks.try_acquire("ranking", A_MINUTE).await.unwrap().expect("nobody is at it any more");
    assert!(grant.fence <= 3, "it was made {} times", grant.fence - 1);
}

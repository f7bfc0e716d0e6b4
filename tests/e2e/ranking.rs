//! What sold best.

use crate::buyer::eventually;
use crate::closed::ClosedShop;
use crate::shop::Shop;
use serde_json::Value;

cases! {
    EVERYWHERE:
        the_ranking_of_the_demo_is_there_at_once_and_today_does_not_count,
        days_are_those_of_the_business_time_zone,
    ;
    ON_ONE_FILE:
        what_is_sold_today_counts_from_tomorrow_on_for_three_days,
        a_refund_is_taken_back_from_a_day_that_is_over,
        another_time_zone_after_a_restart_counts_everything_anew,
}

/// The whole ranking, which has to be one: names and units, best sellers first.
async fn ranking(shop: &Shop) -> Vec<(String, i64)> {
    let ranking = shop.client().read("/api/products/rank/100").await;
    let mut listed = Vec::new();
    for (index, product) in ranking.as_array().expect("a list").iter().enumerate() {
        assert_eq!(product["rank"], index + 1, "{ranking}");
        let text = |field: &str| product[field].as_str().map(str::to_owned);
        assert!(text("productDescription").is_some() && text("productCategory").is_some(), "{product}");
        listed.push((text("productName").expect("a name"), product["totalSold"].as_i64().filter(|sold| *sold > 0).expect("units")));
    }
    assert!(listed.is_sorted_by(|(_, one), (_, next)| one >= next), "{ranking}");
    listed
}

async fn the_ranking_of_the_demo_is_there_at_once_and_today_does_not_count() {
    let shop = Shop::demo().await;
    let before = ranking(&shop).await;
    assert!(before.len() >= 8, "{before:?}");
    let top: Vec<Value> = serde_json::from_value(shop.client().read("/api/products/rank/3").await).expect("a list");
    assert_eq!(
        top.iter().map(|product| product["productName"].as_str()).collect::<Vec<_>>(),
        before[..3].iter().map(|(name, _)| Some(name.as_str())).collect::<Vec<_>>()
    );

    let ware = shop.ware(0, 1_000).await;
    let mut buyer = shop.buyer(1);
    let order = buyer.payable_order(ware, 900).await;
    buyer.pay(order).await.ok();
    let shop = shop.restart().await;

    assert_eq!(ranking(&shop).await, before);
    shop.closes_clean().await;
}

/// Makes all that is stored of sales a day older, as if a day had passed since.
async fn let_a_day_pass(file: &ClosedShop) {
    let days =
        [("board_days", "day"), ("board_orders", "day"), ("board_units", "day"), ("rankings", "today"), ("ranked_products", "today")];
    // In two steps: no row may meet the one of the day before on its way.
    let older = days.map(|(table, day)| {
        format!("UPDATE {table} SET {day} = 'x' || date({day}, '-1 day'); UPDATE {table} SET {day} = substr({day}, 2);")
    });
    file.tamper(&format!("UPDATE payments SET created_at = created_at - 86400000; {}", older.concat())).await;
}

/// A demo shop that sold 900 of something new today; answers the payment.
async fn shop_with_a_new_hit() -> (Shop, i64) {
    let shop = Shop::demo().await;
    let ware = shop.ware(0, 1_000).await;
    let mut buyer = shop.buyer(1);
    let order = buyer.payable_order(ware, 900).await;
    let payment = buyer.pay(order).await.ok()["id"].as_i64().expect("an id");
    (shop, payment)
}

async fn what_is_sold_today_counts_from_tomorrow_on_for_three_days() {
    let (mut shop, _) = shop_with_a_new_hit().await;
    for days_later in 1..=4 {
        let file = shop.stop().await;
        let_a_day_pass(&file).await;
        shop = Shop::on(file, &["--auth", "off"]).await;

        let ranked = ranking(&shop).await;
        let leads = ranked.first().is_some_and(|(name, sold)| (name.as_str(), *sold) == ("Thing", 900));
        assert_eq!(leads, days_later <= 3, "{days_later} days later: {ranked:?}");
        // What the demo sold, on each of the three days before, is forgotten one day after the other.
        assert_eq!(ranked.len() > 1, days_later <= 2, "{days_later} days later: {ranked:?}");
        shop.audit_is_clean().await;
    }
    shop.closes_clean().await;
}

async fn a_refund_is_taken_back_from_a_day_that_is_over() {
    let (shop, payment) = shop_with_a_new_hit().await;
    let file = shop.stop().await;
    let_a_day_pass(&file).await;
    let shop = Shop::on(file, &["--auth", "off"]).await;
    let ranked = ranking(&shop).await;
    assert_eq!(ranked[0], ("Thing".to_owned(), 900));
    shop.buyer(1).refund(payment).await.ok();
    eventually("the refund shows", async || ranking(&shop).await == ranked[1..]).await;
    shop.closes_clean().await;
}

async fn days_are_those_of_the_business_time_zone() {
    const ELSEWHERE: [&str; 2] = ["Pacific/Kiritimati", "Pacific/Midway"];
    let mut rankings = Vec::new();
    for zone in ELSEWHERE {
        let shop = Shop::start(&["--demo", "--auth", "off", "--time-zone", zone]).await;
        // The demo sells the same on the three days before today, whatever day today is there.
        rankings.push(ranking(&shop).await);
        shop.closes_clean().await;
    }
    assert_eq!(rankings[0], rankings[1]);
    assert!(rankings[0].len() >= 8, "{rankings:?}");
}

async fn another_time_zone_after_a_restart_counts_everything_anew() {
    let shop = Shop::start(&["--demo", "--auth", "off", "--time-zone", "Asia/Seoul"]).await;
    assert!(ranking(&shop).await.len() >= 8);
    let shop = shop.restart_with(&["--demo", "--auth", "off", "--time-zone", "America/Los_Angeles"]).await;
    // Noon in Seoul is the evening before in Los Angeles: two or three of the days are still among the last three full ones.
    assert!(ranking(&shop).await.len() >= 8);
    shop.closes_clean().await;
}

use crate::listener::Listener;
use crate::shop::{Someone, TestShop, bearer, order};
use commerce_adapters::http::{AuthMode, HttpLimits, HttpOptions};
use std::time::Duration;

async fn listen(shop: &TestShop, who: &Someone, order: i64) -> Listener {
    Listener::on(shop, who, &format!("/api/orders/{order}/events"), Some("1-PENDING")).await
}

#[tokio::test]
async fn a_stream_tells_the_present_state_and_each_change_until_the_end() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 5).await;
    let id = shop.ordered(&kim, option, 1).await;
    let mut listener = listen(&shop, &kim, id).await;
    let first = listener.next().await.unwrap();
    assert!(first.contains("event: order-status\n") && first.contains(&format!("id: {id}-AWAITING_PAYMENT\n")), "{first}");
    let data = format!(r#"data: {{"id":{id},"status":"AWAITING_PAYMENT","totalPrice":1500,"at":"2026-01-01T00:00:00.000Z"}}"#);
    assert!(first.contains(&data), "{first}");
    shop.send(crate::shop::post(&format!("/api/orders/{id}/cancel"), Some(&kim), "")).await.data();
    assert!(listener.next().await.unwrap().contains("CANCELLED"));
    assert_eq!(listener.next().await, None);
    let mut late = listen(&shop, &kim, id).await;
    assert!(late.next().await.unwrap().contains("CANCELLED"));
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_is_alive_and_ends_with_a_hint_at_shutdown() {
    let limits = HttpLimits { heartbeat_every: Duration::from_millis(10), ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let kim = shop.customer("kim").await;
    let id = shop.post("/api/orders", Some(&kim), order(kim.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    let mut listener = listen(&shop, &kim, id).await;
    assert!(listener.next().await.unwrap().contains("PENDING"));
    assert!(listener.next().await.unwrap().starts_with(':'));
    shop.stop.cancel();
    let farewell = loop {
        match listener.next().await {
            Some(event) if event.starts_with(':') => {}
            event => break event.unwrap(),
        }
    };
    assert!(farewell.contains("retry: 1000"), "{farewell}");
    assert_eq!(listener.next().await, None);
}

#[tokio::test]
async fn no_more_streams_are_opened_than_the_cap_allows() {
    let limits = HttpLimits { event_streams_max: 1, ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let kim = shop.customer("kim").await;
    let id = shop.post("/api/orders", Some(&kim), order(kim.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    let open = listen(&shop, &kim, id).await;
    let refused = shop.get(&format!("/api/orders/{id}/events"), Some(&kim)).await;
    refused.refused(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(open);
    listen(&shop, &kim, id).await;
}

#[tokio::test]
async fn one_caller_does_not_take_the_streams_of_all() {
    let limits = HttpLimits { event_streams_per_user_max: 2, ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let (kim, lee) = (shop.customer("kim").await, shop.customer("lee").await);
    let of_kim = shop.post("/api/orders", Some(&kim), order(kim.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    let of_lee = shop.post("/api/orders", Some(&lee), order(lee.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    let open = (listen(&shop, &kim, of_kim).await, listen(&shop, &kim, of_kim).await);
    let refused = shop.get(&format!("/api/orders/{of_kim}/events"), Some(&kim)).await;
    refused.refused(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    listen(&shop, &lee, of_lee).await;
    drop(open.0);
    listen(&shop, &kim, of_kim).await;
}

#[tokio::test]
async fn callers_whom_nobody_checks_are_not_told_apart() {
    let limits = HttpLimits { event_streams_per_user_max: 0, ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(AuthMode::Off) });
    let kim = shop.customer("kim").await;
    let id = shop.post("/api/orders", None, order(kim.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    listen(&shop, &kim, id).await;
}

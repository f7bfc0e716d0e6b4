use crate::shop::{Someone, TestShop, bearer, order, request};
use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use commerce_adapters::http::{HttpLimits, HttpOptions};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::timeout;
use tower::ServiceExt;

const LONG: Duration = Duration::from_secs(10);

/// A client that reads an event stream.
struct Listener(BodyDataStream);

impl Listener {
    async fn on(shop: &TestShop, who: &Someone, order: i64) -> Self {
        let get = request(Method::GET, &format!("/api/orders/{order}/events"), Some(who)).header("last-event-id", "1-PENDING");
        let response = shop.router.clone().oneshot(get.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &"text/event-stream".parse().unwrap()));
        Self(response.into_body().into_data_stream())
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        let chunk = timeout(LONG, self.0.next()).await.expect("something is heard in time");
        chunk.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_stream_tells_the_present_state_and_each_change_until_the_end() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_500, 5).await;
    let id = shop.ordered(&kim, option, 1).await;
    let mut listener = Listener::on(&shop, &kim, id).await;
    let first = listener.next().await.unwrap();
    assert!(first.contains("event: order-status\n") && first.contains(&format!("id: {id}-AWAITING_PAYMENT\n")), "{first}");
    let data = format!(r#"data: {{"id":{id},"status":"AWAITING_PAYMENT","totalPrice":1500,"at":"2026-01-01T00:00:00.000Z"}}"#);
    assert!(first.contains(&data), "{first}");
    shop.send(crate::shop::post(&format!("/api/orders/{id}/cancel"), Some(&kim), "")).await.data();
    assert!(listener.next().await.unwrap().contains("CANCELLED"));
    assert_eq!(listener.next().await, None);
    let mut late = Listener::on(&shop, &kim, id).await;
    assert!(late.next().await.unwrap().contains("CANCELLED"));
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_is_alive_and_ends_with_a_hint_at_shutdown() {
    let limits = HttpLimits { heartbeat_every: Duration::from_millis(10), ..HttpLimits::default() };
    let shop = TestShop::without_consumers(HttpOptions { limits, ..HttpOptions::new(bearer()) });
    let kim = shop.customer("kim").await;
    let id = shop.post("/api/orders", Some(&kim), order(kim.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    let mut listener = Listener::on(&shop, &kim, id).await;
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
    let open = Listener::on(&shop, &kim, id).await;
    let refused = shop.get(&format!("/api/orders/{id}/events"), Some(&kim)).await;
    refused.refused(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(open);
    Listener::on(&shop, &kim, id).await;
}

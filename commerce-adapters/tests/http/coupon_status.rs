use crate::listener::Listener;
use crate::shop::{Reply, Someone, TestShop, asking, bearer, patient, post, request};
use axum::body::Body;
use axum::http::Method;
use commerce_adapters::http::{HttpLimits, HttpOptions};
use serde_json::{Value, json};
use std::time::Duration;

const NEXT_YEAR: &str = "2027-01-01T00:00:00Z";

fn path(task: i64) -> String {
    format!("/api/coupons/publish/status/{task}")
}

/// The present state, as JSON.
async fn present(shop: &TestShop, who: &Someone, task: i64) -> Reply {
    let get = request(Method::GET, &path(task), Some(who)).header("accept", "application/json");
    shop.send(get.body(Body::empty()).unwrap()).await
}

/// A shop that decides nothing yet, and a task of Kim's in it.
async fn undecided(options: HttpOptions) -> (TestShop, Someone, i64) {
    let shop = TestShop::without_consumers(options);
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let task = shop.admitted(&kim, coupon).await;
    (shop, kim, task)
}

fn success(task: i64) -> Value {
    json!({
        "taskId": task, "status": "SUCCESS", "message": "The coupon is yours: you are number 1.",
        "issuedAt": "2026-01-01T00:00:00.000Z", "position": 1,
    })
}

/// Checks that it is the event of the outcome, and gives its data.
fn told(event: Option<String>, task: i64, status: &str) -> Value {
    let event = event.expect("the outcome");
    assert!(event.contains("event: coupon-status\n") && event.contains(&format!("id: {task}-{status}\n")), "{event}");
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    serde_json::from_str(data).expect("JSON")
}

#[tokio::test]
async fn an_outcome_is_told_when_it_happens_and_then_at_once() {
    let (shop, kim, task) = undecided(HttpOptions::new(bearer())).await;
    let mut early = Listener::on(&shop, &kim, &path(task), None).await;
    shop.start_consumers();
    assert_eq!(told(early.next().await, task, "SUCCESS"), success(task));
    assert_eq!(early.next().await, None);
    let mut late = Listener::on(&shop, &kim, &path(task), None).await;
    assert_eq!(told(late.next().await, task, "SUCCESS"), success(task));
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn who_comes_back_is_told_again_whatever_it_heard() {
    let (shop, kim, task) = undecided(HttpOptions::new(bearer())).await;
    drop(Listener::on(&shop, &kim, &path(task), None).await);
    let mut back = Listener::on(&shop, &kim, &path(task), Some("0")).await;
    shop.start_consumers();
    assert_eq!(told(back.next().await, task, "SUCCESS"), success(task));
    let heard = format!("{task}-SUCCESS");
    for last in ["", "0", "another", &heard] {
        let mut back = Listener::on(&shop, &kim, &path(task), Some(last)).await;
        assert_eq!(told(back.next().await, task, "SUCCESS"), success(task));
    }
}

#[tokio::test]
async fn a_failure_says_why() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let asked = patient(post("/api/coupons/publish", Some(&admin), asking(9_999, coupon).to_string()), "wait=30");
    let task = shop.send(asked).await.data()["taskId"].as_i64().unwrap();
    let expected = json!({"taskId": task, "status": "FAIL", "message": "The user does not exist.", "errorCode": "INACTIVE_USER"});
    let mut listener = Listener::on(&shop, &admin, &path(task), None).await;
    assert_eq!(told(listener.next().await, task, "FAIL"), expected);
    assert_eq!(present(&shop, &admin, task).await.data(), expected);
}

#[tokio::test]
async fn the_present_state_is_given_as_json_to_who_asks_for_it() {
    let (shop, kim, task) = undecided(HttpOptions::new(bearer())).await;
    let pending = json!({"taskId": task, "status": "PENDING", "message": "The coupon is about to be issued."});
    assert_eq!(present(&shop, &kim, task).await.data(), pending);
    let mut listener = Listener::on(&shop, &kim, &path(task), None).await;
    shop.start_consumers();
    told(listener.next().await, task, "SUCCESS");
    assert_eq!(present(&shop, &kim, task).await.data(), success(task));
}

#[tokio::test]
async fn a_task_that_is_unknown_or_somebody_elses_does_not_exist() {
    let (shop, kim, task) = undecided(HttpOptions::new(bearer())).await;
    let lee = shop.customer("lee").await;
    for (who, task) in [(&lee, task), (&kim, 9_999)] {
        shop.get(&path(task), Some(who)).await.refused(404, "RESOURCE_NOT_FOUND");
        present(&shop, who, task).await.refused(404, "RESOURCE_NOT_FOUND");
    }
    shop.get(&path(task), None).await.refused(401, "UNAUTHENTICATED");
    shop.get("/api/coupons/publish/status/mine", Some(&kim)).await.refused_field("INVALID_PARAMETER", "taskId");
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_is_alive_and_ends_with_a_hint_at_shutdown() {
    let limits = HttpLimits { heartbeat_every: Duration::from_millis(10), ..HttpLimits::default() };
    let (shop, kim, task) = undecided(HttpOptions { limits, ..HttpOptions::new(bearer()) }).await;
    let mut listener = Listener::on(&shop, &kim, &path(task), None).await;
    assert!(listener.next().await.unwrap().starts_with(':'));
    shop.stop.cancel();
    let farewell = loop {
        match listener.next().await {
            Some(event) if event.starts_with(':') => {}
            event => break event,
        }
    };
    assert_eq!(farewell.as_deref(), Some("retry: 1000\n\n"));
    assert_eq!(listener.next().await, None);
}

#[tokio::test]
async fn the_streams_of_orders_and_coupons_are_counted_together() {
    let limits = HttpLimits { event_streams_per_user_max: 1, ..HttpLimits::default() };
    let (shop, kim, task) = undecided(HttpOptions { limits, ..HttpOptions::new(bearer()) }).await;
    let order = shop.post("/api/orders", Some(&kim), crate::shop::order(kim.id, 1, 1)).await.data()["id"].as_i64().unwrap();
    let open = Listener::on(&shop, &kim, &format!("/api/orders/{order}/events"), None).await;
    shop.get(&path(task), Some(&kim)).await.refused(503, "OVERLOADED");
    // To look once takes no stream.
    assert_eq!(present(&shop, &kim, task).await.status, 200);
    drop(open);
    Listener::on(&shop, &kim, &path(task), None).await;
}

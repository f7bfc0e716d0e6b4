use crate::shop::{Reply, Someone, TestShop, asking, bearer, keyed, patient, post, until};
use async_trait::async_trait;
use axum::http::StatusCode;
use commerce_adapters::http::{HttpOptions, router};
use commerce_core::coupon::{Coupon, CouponGate, GateCensus, GateError, GatePlace, GateRequest, GateVerdict, PendingPlace, Settlement};
use commerce_core::store::Store;
use commerce_core::testing::{Fault, FaultyStore};
use commerce_core::{Commerce, CouponId, Parts, Settings, Timestamp};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const PUBLISH: &str = "/api/coupons/publish";
const NEXT_YEAR: &str = "2027-01-01T00:00:00Z";
const MINUTE: Duration = Duration::from_mins(1);

/// Asks under a key.
async fn ask_under(shop: &TestShop, who: &Someone, key: &str, coupon: i64) -> Reply {
    shop.send(keyed(PUBLISH, Some(who), key, asking(who.id, coupon).to_string())).await
}

async fn census(shop: &TestShop, coupon: i64) -> Option<GateCensus> {
    shop.gate.census(CouponId::new(coupon).unwrap()).await.unwrap()
}

#[tokio::test]
async fn who_has_a_place_is_told_its_task_and_gets_the_coupon() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 2, NEXT_YEAR).await;
    let reply = shop.ask_for(&kim, coupon).await;
    let task = reply.data()["taskId"].as_i64().unwrap();
    assert_eq!((reply.status, reply.data()), (StatusCode::ACCEPTED, json!({"taskId": task})));
    let held = format!("/api/coupons/{}", kim.id);
    until("the coupon is issued", async || shop.get(&held, Some(&kim)).await.data()["couponResponseList"] != json!([])).await;
    let held = shop.get(&held, Some(&kim)).await.data()["couponResponseList"][0].clone();
    assert_eq!((&held["couponId"], &held["couponStatus"], &held["position"]), (&json!(coupon), &json!("ISSUED"), &json!(1)));
}

#[tokio::test]
async fn the_refusals_come_in_their_order() {
    let shop = TestShop::open();
    let (admin, kim, lee) = (shop.admin().await, shop.customer("kim").await, shop.customer("lee").await);
    let coupon = shop.coupon_on_offer(&admin, 1, "2026-01-01T00:10:00Z").await;
    shop.admitted(&kim, coupon).await;
    // Kim has it and none is left: the window comes first.
    let early = shop.ask_for(&kim, coupon).await;
    early.refused(429, "TOO_MANY_REQUESTS");
    assert_eq!(early.header("retry-after"), Some("180"));
    shop.clock.advance(Duration::from_millis(60_500));
    let later = shop.ask_for(&kim, coupon).await;
    later.refused(429, "TOO_MANY_REQUESTS");
    assert_eq!(later.header("retry-after"), Some("120"));
    shop.clock.advance(2 * MINUTE);
    shop.ask_for(&kim, coupon).await.refused(409, "DUPLICATED_COUPON");
    for _ in 0..2 {
        // Who is not admitted may ask again at once.
        shop.ask_for(&lee, coupon).await.refused(400, "OUT_OF_STOCK_COUPON");
    }
    shop.clock.advance(7 * MINUTE);
    for who in [&kim, &lee] {
        shop.ask_for(who, coupon).await.refused(400, "EXPIRED_COUPON");
    }
}

#[tokio::test]
async fn the_window_comes_before_the_expiry() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 1, "2026-01-01T00:01:00Z").await;
    shop.admitted(&kim, coupon).await;
    shop.clock.advance(MINUTE);
    shop.ask_for(&kim, coupon).await.refused(429, "TOO_MANY_REQUESTS");
}

#[tokio::test]
async fn a_coupon_that_is_unknown_or_not_open_is_inactive() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    shop.ask_for(&kim, 9_999).await.refused(403, "INACTIVE_COUPON");
    let coupon = json!({
        "name": "Tomorrow", "couponType": "PERCENT", "discountValue": 5, "initialStock": 0,
        "openAt": "2026-01-01T00:01:00Z", "expireAt": NEXT_YEAR,
    });
    let coupon = shop.post("/api/coupons", Some(&admin), coupon).await.data()["couponId"].as_i64().unwrap();
    shop.ask_for(&kim, coupon).await.refused(403, "INACTIVE_COUPON");
    shop.clock.advance(MINUTE);
    shop.ask_for(&kim, coupon).await.refused(400, "OUT_OF_STOCK_COUPON");
}

#[tokio::test]
async fn without_a_window_a_repetition_is_a_duplicate() {
    let settings = Settings { coupon_window: Duration::ZERO, ..Settings::default() };
    let shop = TestShop::with_settings(HttpOptions::new(bearer()), settings);
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    shop.admitted(&kim, coupon).await;
    shop.ask_for(&kim, coupon).await.refused(409, "DUPLICATED_COUPON");
}

#[tokio::test]
async fn a_request_is_refused_by_its_shape_and_by_who_sends_it() {
    let shop = TestShop::open();
    let (admin, kim, lee) = (shop.admin().await, shop.customer("kim").await, shop.customer("lee").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let ask = async |who: Option<&Someone>, body| shop.post(PUBLISH, who, body).await;
    ask(None, asking(kim.id, coupon)).await.refused(401, "UNAUTHENTICATED");
    ask(Some(&lee), asking(kim.id, coupon)).await.refused(403, "FORBIDDEN");
    for field in ["userId", "couponId"] {
        for wrong in [json!(0), json!(-1), json!("1"), json!(1.5), json!(null)] {
            let mut body = asking(kim.id, coupon);
            body[field] = wrong;
            ask(Some(&kim), body).await.refused_field("INVALID_PARAMETER", field);
        }
    }
    ask(Some(&kim), json!({"userId": kim.id, "couponId": coupon, "place": 1})).await.refused(400, "INVALID_PARAMETER");
    assert_eq!(census(&shop, coupon).await, Some(GateCensus { issued: 0, pending: 0 }));
    assert_eq!(ask(Some(&admin), asking(kim.id, coupon)).await.status, StatusCode::ACCEPTED);
    shop.get(PUBLISH, Some(&kim)).await.refused(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_repetition_under_a_key_is_answered_and_not_refused() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let first = ask_under(&shop, &kim, "k1", coupon).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::ACCEPTED, None));
    let second = ask_under(&shop, &kim, "k1", coupon).await;
    assert_eq!((second.status, &second.body, second.header("idempotent-replayed")), (first.status, &first.body, Some("true")));

    let other = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    ask_under(&shop, &kim, "k1", other).await.refused(422, "IDEMPOTENCY_KEY_REUSED");
    // Nobody asked the gate.
    assert_eq!(census(&shop, other).await, Some(GateCensus { issued: 0, pending: 0 }));
}

#[tokio::test]
async fn a_refusal_is_kept_under_a_key_unless_it_passes_by_itself() {
    let shop = TestShop::open();
    let (admin, kim, lee) = (shop.admin().await, shop.customer("kim").await, shop.customer("lee").await);
    let coupon = shop.coupon_on_offer(&admin, 1, NEXT_YEAR).await;
    shop.admitted(&kim, coupon).await;
    let refused = ask_under(&shop, &lee, "k1", coupon).await;
    refused.refused(400, "OUT_OF_STOCK_COUPON");
    let again = ask_under(&shop, &lee, "k1", coupon).await;
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&refused.body, Some("true")));

    let early = ask_under(&shop, &kim, "k2", coupon).await;
    early.refused(429, "TOO_MANY_REQUESTS");
    assert_eq!(early.header("retry-after"), Some("180"));
    shop.clock.advance(3 * MINUTE);
    let later = ask_under(&shop, &kim, "k2", coupon).await;
    later.refused(409, "DUPLICATED_COUPON");
    assert_eq!(later.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn a_key_in_flight_is_refused_before_the_gate_is_asked() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let waiting = shop.send(patient(keyed(PUBLISH, Some(&kim), "k1", asking(kim.id, coupon).to_string()), "wait=30"));
    tokio::pin!(waiting);
    until("the request waits", async || {
        tokio::select! {
            biased;
            reply = &mut waiting => panic!("nobody decides the request: {reply:?}"),
            pending = shop.commerce.queries().pending_requests(None, 1) => !pending.unwrap().is_empty(),
        }
    })
    .await;
    let second = ask_under(&shop, &kim, "k1", coupon).await;
    second.refused(409, "IDEMPOTENCY_KEY_IN_FLIGHT");
    assert_eq!(second.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_client_that_leaves_while_its_request_is_stored_finds_its_answer_under_the_key() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let one_place = Some(GateCensus { issued: 0, pending: 1 });
    // As long as another unit of work is open, the desk waits.
    let open = shop.commerce.parts().store.begin().await.unwrap();
    let mut asking = Box::pin(ask_under(&shop, &kim, "k1", coupon));
    until("the request has a place", async || {
        tokio::select! {
            biased;
            reply = &mut asking => panic!("the request cannot be stored: {reply:?}"),
            census = census(&shop, coupon) => census == one_place,
        }
    })
    .await;
    drop(asking);
    ask_under(&shop, &kim, "k1", coupon).await.refused(409, "IDEMPOTENCY_KEY_IN_FLIGHT");
    drop(open);
    let mut answer = None;
    until("the answer is stored", async || {
        let reply = ask_under(&shop, &kim, "k1", coupon).await;
        let is_there = reply.status != StatusCode::CONFLICT;
        answer = Some(reply);
        is_there
    })
    .await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (StatusCode::ACCEPTED, Some("true")));
    assert_eq!(census(&shop, coupon).await, one_place);
}

#[tokio::test]
async fn a_request_that_could_not_be_stored_keeps_its_place_under_its_key() {
    let mut shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let store = Arc::new(FaultyStore::scripted(Arc::clone(&shop.commerce.parts().store), []));
    let parts = Parts { store: Arc::clone(&store) as Arc<dyn Store>, ..shop.commerce.parts().clone() };
    shop.router = router(Commerce::open(parts, Settings::default()), HttpOptions::new(bearer()));
    store.trouble(1, 100, &[Fault::CommitUnavailable]);
    for _ in 0..2 {
        ask_under(&shop, &kim, "k1", coupon).await.refused(503, "OVERLOADED");
    }
    assert_eq!(census(&shop, coupon).await, Some(GateCensus { issued: 0, pending: 1 }));
    // The place belongs to the key.
    ask_under(&shop, &kim, "k2", coupon).await.refused(429, "TOO_MANY_REQUESTS");
    store.heal();
    let first = ask_under(&shop, &kim, "k1", coupon).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::ACCEPTED, None));
    let second = ask_under(&shop, &kim, "k1", coupon).await;
    assert_eq!((&second.body, second.header("idempotent-replayed")), (&first.body, Some("true")));
    until("the coupon is issued", async || census(&shop, coupon).await == Some(GateCensus { issued: 1, pending: 0 })).await;
}

#[tokio::test]
async fn who_prefers_to_wait_is_told_what_became_of_it() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let body = asking(kim.id, coupon).to_string();
    let first = shop.send(patient(keyed(PUBLISH, Some(&kim), "k1", body.clone()), "wait=99")).await;
    assert_eq!((first.status, first.header("preference-applied")), (StatusCode::OK, Some("wait=30")));
    let task = first.data()["taskId"].as_i64().unwrap();
    assert_eq!(first.data(), json!({"taskId": task, "status": "SUCCESS"}));

    let replayed = shop.send(patient(keyed(PUBLISH, Some(&kim), "k1", body.clone()), "wait=99")).await;
    assert_eq!((replayed.status, &replayed.body), (first.status, &first.body));
    assert_eq!((replayed.header("idempotent-replayed"), replayed.header("preference-applied")), (Some("true"), Some("wait=30")));
    let replayed = shop.send(keyed(PUBLISH, Some(&kim), "k1", body)).await;
    assert_eq!((&replayed.body, replayed.header("preference-applied")), (&first.body, None));
}

#[tokio::test]
async fn a_user_that_does_not_exist_is_found_out_and_gives_the_place_back() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    let coupon = shop.coupon_on_offer(&admin, 1, NEXT_YEAR).await;
    let reply = shop.send(patient(post(PUBLISH, Some(&admin), asking(9_999, coupon).to_string()), "wait=30")).await;
    assert_eq!((reply.status, &reply.data()["status"]), (StatusCode::OK, &json!("FAIL")));
    let nobody = Some(GateCensus { issued: 0, pending: 0 });
    until("the place is free again", async || census(&shop, coupon).await == nobody).await;
    shop.admitted(&admin, coupon).await;
}

#[tokio::test]
async fn who_runs_out_of_patience_is_told_that_it_is_pending() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let coupon = shop.coupon_on_offer(&admin, 5, NEXT_YEAR).await;
    let reply = shop.send(patient(post(PUBLISH, Some(&kim), asking(kim.id, coupon).to_string()), "wait=0")).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (StatusCode::OK, Some("wait=0")));
    assert_eq!(reply.data()["status"], "PENDING");
}

#[tokio::test]
async fn a_gate_that_has_lost_its_memory_is_overloaded_until_it_is_told() {
    let shop = TestShop::open();
    let (admin, kim, lee) = (shop.admin().await, shop.customer("kim").await, shop.customer("lee").await);
    let coupon = shop.coupon_on_offer(&admin, 2, NEXT_YEAR).await;
    shop.admitted(&kim, coupon).await;
    until("the coupon is issued", async || census(&shop, coupon).await == Some(GateCensus { issued: 1, pending: 0 })).await;
    shop.gate.wipe();
    let closed = ask_under(&shop, &lee, "k1", coupon).await;
    closed.refused(503, "OVERLOADED");
    assert_eq!(closed.header("retry-after"), Some("1"));
    until("the gate is open", async || census(&shop, coupon).await.is_some()).await;
    // It is not kept under the key, and the gate remembers who has what.
    let open = ask_under(&shop, &lee, "k1", coupon).await;
    assert_eq!((open.status, open.header("idempotent-replayed")), (StatusCode::ACCEPTED, None));
    shop.ask_for(&kim, coupon).await.refused(429, "TOO_MANY_REQUESTS");
}

/// A gate at the other end of a broken line.
struct FarGate;

fn unreachable<T>() -> Result<T, GateError> {
    Err(GateError("a secret of the line".into()))
}

#[async_trait]
impl CouponGate for FarGate {
    async fn admit(&self, _: &GateRequest) -> Result<GateVerdict, GateError> {
        unreachable()
    }

    async fn settle(&self, _: &[Settlement]) -> Result<(), GateError> {
        unreachable()
    }

    async fn pending(&self, _: Timestamp, _: usize) -> Result<Vec<PendingPlace>, GateError> {
        unreachable()
    }

    async fn close(&self, _: CouponId, _: u64) -> Result<(), GateError> {
        unreachable()
    }

    async fn load(&self, _: CouponId, _: u64, _: &[GatePlace]) -> Result<bool, GateError> {
        unreachable()
    }

    async fn open(&self, _: &Coupon, _: u64) -> Result<bool, GateError> {
        unreachable()
    }

    async fn census(&self, _: CouponId) -> Result<Option<GateCensus>, GateError> {
        unreachable()
    }

    async fn retire(&self, _: Timestamp) -> Result<(), GateError> {
        unreachable()
    }
}

#[tokio::test]
async fn a_gate_that_cannot_be_reached_is_overloaded() {
    let mut shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let parts = Parts { gate: Arc::new(FarGate), ..shop.commerce.parts().clone() };
    shop.router = router(Commerce::open(parts, Settings::default()), HttpOptions::new(bearer()));
    // The coupon is made all the same.
    let coupon = shop.coupon_on_offer(&admin, 2, NEXT_YEAR).await;
    let reply = shop.ask_for(&kim, coupon).await;
    reply.refused(503, "OVERLOADED");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("secret"));
}

use crate::shop::TestShop;
use serde_json::json;

#[tokio::test]
async fn a_charge_answers_the_balance_afterwards() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let path = format!("/api/users/{}/points", kim.id);
    assert_eq!(shop.get(&path, Some(&kim)).await.data(), json!({"userId": kim.id, "point": 0}));
    assert_eq!(shop.post(&path, Some(&kim), json!({"chargePoint": 1_000})).await.data(), json!({"userId": kim.id, "point": 1_000}));
    assert_eq!(shop.post(&path, Some(&kim), json!({"chargePoint": 1_000_000})).await.data()["point"], 1_001_000);
}

#[tokio::test]
async fn an_amount_outside_its_range_changes_nothing() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let path = format!("/api/users/{}/points", kim.id);
    for amount in [i64::MIN, -1, 0, 999, 1_000_001, i64::MAX] {
        shop.post(&path, Some(&kim), json!({"chargePoint": amount})).await.refused_field("INVALID_USER_POINT", "chargePoint");
    }
    assert_eq!(shop.points(&kim).await, 0);
}

#[tokio::test]
async fn a_charge_for_others_is_refused() {
    let shop = TestShop::open();
    let (kim, lee, admin) = (shop.customer("kim").await, shop.customer("lee").await, shop.admin().await);
    shop.post(&format!("/api/users/{}/points", kim.id), Some(&lee), json!({"chargePoint": 1_000})).await.refused(403, "FORBIDDEN");
    shop.post("/api/users/9999/points", Some(&admin), json!({"chargePoint": 1_000})).await.refused(403, "INACTIVE_USER");
    assert_eq!(shop.points(&kim).await, 0);
}

#[tokio::test]
async fn the_history_is_paged_newest_first() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    for amount in [1_000, 2_000, 3_000] {
        shop.charge(&kim, amount).await;
    }
    let path = format!("/api/users/{}/points/history?limit=2", kim.id);
    let first = shop.get(&path, Some(&kim)).await.data();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let newest = &first["items"][0];
    assert_eq!((&newest["kind"], &newest["amount"], &newest["balanceAfter"]), (&json!("CHARGE"), &json!(3_000), &json!(6_000)));
    assert_eq!((newest.get("orderId"), &newest["at"]), (None, &json!("2026-01-01T00:00:00.000Z")));
    let next = first["nextCursor"].as_str().unwrap();
    let last = shop.get(&format!("{path}&cursor={next}"), Some(&kim)).await.data();
    assert_eq!((&last["items"][0]["amount"], last.get("nextCursor")), (&json!(1_000), None));
}

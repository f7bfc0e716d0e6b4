use crate::shop::TestShop;
use serde_json::{Value, json};

fn coupon() -> Value {
    json!({"name": "Summer sale", "couponType": "PERCENT", "discountValue": 10, "initialStock": 100, "expireAt": "2027-12-31T00:00:00"})
}

#[tokio::test]
async fn an_administrator_offers_a_coupon_and_anyone_sees_it() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    let made = shop.post("/api/coupons", Some(&admin), coupon()).await.data();
    let id = made["couponId"].as_i64().unwrap();
    let expire_at = "2027-12-31T00:00:00.000Z";
    let expected =
        json!({"couponId": id, "couponName": "Summer sale", "couponType": "PERCENT", "discountValue": 10, "expireAt": expire_at});
    assert_eq!(made, expected);
    let listed = shop.get("/api/coupons", None).await.data();
    let item = &listed["items"][0];
    assert_eq!((&item["initialStock"], &item["remaining"], item.get("openAt")), (&json!(100), &json!(100), None));
}

#[tokio::test]
async fn a_coupon_is_refused_by_the_field_that_is_wrong() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    for (field, value, code) in [
        ("name", json!("abcd"), "INVALID_PARAMETER"),
        ("couponType", json!("HALF"), "INVALID_PARAMETER"),
        ("discountValue", json!(0), "INVALID_PERCENT_DISCOUNT"),
        ("discountValue", json!(101), "INVALID_PERCENT_DISCOUNT"),
        ("initialStock", json!(-1), "INVALID_PARAMETER"),
        ("expireAt", json!("tomorrow"), "INVALID_PARAMETER"),
        ("openAt", json!("2027"), "INVALID_PARAMETER"),
    ] {
        let mut body = coupon();
        body[field] = value;
        shop.post("/api/coupons", Some(&admin), body).await.refused_field(code, field);
    }
    let mut body = coupon();
    body["couponType"] = json!("FIXED");
    body["discountValue"] = json!(0);
    shop.post("/api/coupons", Some(&admin), body).await.refused(400, "INVALID_FIXED_DISCOUNT");
    let mut body = coupon();
    body["expireAt"] = json!("2025-01-01T00:00:00Z");
    shop.post("/api/coupons", Some(&admin), body).await.refused(400, "INVALID_PARAMETER");
    shop.post("/api/coupons", Some(&kim), coupon()).await.refused(403, "FORBIDDEN");
    assert_eq!(shop.get("/api/coupons", None).await.data(), json!({"items": []}));
}

#[tokio::test]
async fn a_customer_sees_the_coupons_it_holds() {
    let shop = TestShop::open();
    let (kim, lee, admin) = (shop.customer("kim").await, shop.customer("lee").await, shop.admin().await);
    let path = format!("/api/coupons/{}", kim.id);
    assert_eq!(shop.get(&path, Some(&kim)).await.data(), json!({"userId": kim.id, "couponResponseList": []}));
    shop.get(&path, Some(&lee)).await.refused(403, "FORBIDDEN");
    shop.get("/api/coupons/9999", Some(&admin)).await.refused(403, "INACTIVE_USER");
    shop.get("/api/coupons/mine", Some(&kim)).await.refused_field("INVALID_PARAMETER", "userId");
}

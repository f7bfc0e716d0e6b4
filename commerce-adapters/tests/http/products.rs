use crate::shop::{TestShop, product};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_administrator_puts_a_product_on_sale_and_anyone_sees_it() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    let made = shop.post("/api/products", Some(&admin), product(59_000, 0)).await;
    let id = made.data()["productId"].as_i64().unwrap();
    assert_eq!((made.status.as_u16(), made.header("location")), (201, Some(format!("/api/products/{id}").as_str())));
    let seen = shop.get(&format!("/api/products/{id}"), None).await.data();
    let option = seen["productOptions"][0]["productOptionId"].as_i64().unwrap();
    let expected = json!({
        "productId": id, "productName": "Runner", "productDescription": "A light shoe for long runs", "productCategory": "SHOES",
        "productOptions": [{"productOptionId": option, "optionName": "White", "price": 59_000, "stock": 0, "soldOut": true}],
    });
    assert_eq!(seen, expected);
    assert_eq!(made.data(), expected);
}

#[tokio::test]
async fn a_product_that_does_not_exist_is_inactive() {
    TestShop::open().get("/api/products/9999", None).await.refused(403, "INACTIVE_PRODUCT");
}

#[tokio::test]
async fn a_product_is_refused_by_the_field_that_is_wrong() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    for (pointer, value, field) in [
        ("/name", json!(""), "name"),
        ("/category", json!("HATS"), "category"),
        ("/description", json!("short"), "description"),
        ("/options", json!([]), "options"),
        ("/options", json!(vec![product(1, 1)["options"][0].clone(); 101]), "options"),
        ("/options/0/name", json!("x".repeat(31)), "options[0].name"),
        ("/options/0/price", json!(-1), "options[0].price"),
        ("/options/0/stock", json!(1_000_000_001), "options[0].stock"),
        ("/options/0/stock", json!("1"), "options[0].stock"),
    ] {
        let mut body = product(1, 1);
        *body.pointer_mut(pointer).unwrap() = value;
        shop.post("/api/products", Some(&admin), body).await.refused_field("INVALID_PARAMETER", field);
    }
    assert_eq!(shop.get("/api/products", None).await.data()["items"], json!([]));
}

#[tokio::test]
async fn only_an_administrator_changes_products_and_stock() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    shop.post("/api/products", Some(&kim), product(1, 1)).await.refused(403, "FORBIDDEN");
    shop.post("/api/products", None, product(1, 1)).await.refused(401, "UNAUTHENTICATED");
    let adjust = json!({"delta": 1, "reason": "count"});
    shop.post("/api/products/options/1/stock", Some(&kim), adjust).await.refused(403, "FORBIDDEN");
}

#[tokio::test]
async fn stock_is_adjusted_and_never_falls_below_zero() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    let option = shop.option_on_sale(&admin, 1_000, 5).await;
    let path = format!("/api/products/options/{option}/stock");
    let adjust = async |delta: i64| shop.post(&path, Some(&admin), json!({"delta": delta, "reason": "count"})).await;
    assert_eq!(adjust(-5).await.data(), json!({"productOptionId": option, "stock": 0}));
    adjust(-1).await.refused(400, "INVALID_STOCK");
    adjust(i64::MAX).await.refused(400, "INVALID_STOCK");
    assert_eq!(adjust(7).await.data()["stock"], 7);
    shop.post(&path, Some(&admin), json!({"delta": 1, "reason": " "})).await.refused_field("INVALID_PARAMETER", "reason");
    let missing = shop.post("/api/products/options/9999/stock", Some(&admin), json!({"delta": 1, "reason": "count"})).await;
    missing.refused(404, "OPTION_NOT_FOUND");
}

#[tokio::test]
async fn products_are_found_by_shelf_and_text_page_by_page() {
    let shop = TestShop::open();
    let admin = shop.admin().await;
    for _ in 0..3 {
        shop.option_on_sale(&admin, 1_000, 5).await;
    }
    let page = shop.get("/api/products?category=SHOES&q=LIGHT%20shoe&limit=2", None).await.data();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = page["nextCursor"].as_str().unwrap();
    let rest = shop.get(&format!("/api/products?category=SHOES&limit=2&cursor={next}"), None).await.data();
    assert_eq!((rest["items"].as_array().unwrap().len(), rest.get("nextCursor")), (1, None));
    assert_eq!(shop.get("/api/products?category=FOOD", None).await.data(), json!({"items": []}));
    shop.get("/api/products?category=HATS", None).await.refused_field("INVALID_PARAMETER", "category");
}

#[tokio::test]
async fn the_ranking_shows_what_sold_on_the_days_before_today() {
    let shop = TestShop::open();
    let (admin, kim) = (shop.admin().await, shop.customer("kim").await);
    let option = shop.option_on_sale(&admin, 1_000, 5).await;
    shop.charge(&kim, 10_000).await;
    let order = shop.ordered(&kim, option, 2).await;
    let pay = json!({"orderId": order, "userId": kim.id, "type": "POINT"});
    assert_eq!(shop.post("/api/payments", Some(&kim), pay).await.status, 200);
    assert_eq!(shop.get("/api/products/rank/5", None).await.data(), json!([]));
    shop.clock.advance(Duration::from_hours(24));
    let ranked = shop.get("/api/products/rank/5", None).await.data();
    assert_eq!((&ranked[0]["totalSold"], &ranked[0]["rank"], &ranked[0]["productCategory"]), (&json!(2), &json!(1), &json!("SHOES")));
    for wrong in ["0", "101", "-1", "five", "1.5"] {
        shop.get(&format!("/api/products/rank/{wrong}"), None).await.refused_field("INVALID_PARAMETER", "n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ranking_that_somebody_else_is_making_is_to_be_asked_for_again() {
    let shop = TestShop::open();
    let _making = shop.commerce.parts().locks.try_acquire("ranking", Duration::from_mins(1)).await.unwrap().unwrap();
    let reply = shop.get("/api/products/rank/5", None).await;
    reply.refused(503, "OVERLOADED");
    assert_eq!(reply.header("retry-after"), Some("1"));
}

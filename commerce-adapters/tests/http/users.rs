use crate::shop::{PASSWORD, TestShop};
use serde_json::json;

#[tokio::test]
async fn a_customer_registers_logs_in_and_sees_itself() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let path = format!("/api/users/{}", kim.id);
    let reply = shop.get(&path, Some(&kim)).await;
    assert_eq!(reply.data(), json!({"id": kim.id, "name": "kim", "email": "kim@shop.example"}));
    assert_eq!(reply.json()["meta"], json!({"result": "SUCCESS", "errorCode": "", "message": "Done."}));
}

#[tokio::test]
async fn a_customer_takes_another_name() {
    let shop = TestShop::open();
    let kim = shop.customer("kim").await;
    let path = format!("/api/users/{}", kim.id);
    assert_eq!(shop.post(&path, Some(&kim), json!({"name": " 김철수 "})).await.data()["name"], "김철수");
    shop.post(&path, Some(&kim), json!({"name": "x"})).await.refused_field("INVALID_USER_NAME", "name");
    assert_eq!(shop.get(&path, Some(&kim)).await.data()["name"], "김철수");
}

#[tokio::test]
async fn an_address_is_taken_once_whatever_its_case() {
    let shop = TestShop::open();
    shop.customer("kim").await;
    let again = json!({"name": "Kim", "email": "KIM@shop.example", "password": PASSWORD});
    shop.post("/api/users", None, again).await.refused(409, "DUPLICATE_EMAIL");
}

#[tokio::test]
async fn a_registration_is_refused_by_the_field_that_is_wrong() {
    let shop = TestShop::open();
    for (name, email, password, code, field) in [
        ("k", "k@shop.example", "12345", "INVALID_USER_NAME", "name"),
        ("kim", "shop.example", "12345", "INVALID_USER_EMAIL", "email"),
        ("kim", "k@shop.example", "1234", "INVALID_USER_PASSWORD", "password"),
    ] {
        let reply = shop.post("/api/users", None, json!({"name": name, "email": email, "password": password})).await;
        reply.refused_field(code, field);
        assert!(!String::from_utf8_lossy(&reply.body).contains("1234"));
    }
}

#[tokio::test]
async fn another_customer_is_forbidden_and_a_missing_one_is_inactive() {
    let shop = TestShop::open();
    let (kim, lee, admin) = (shop.customer("kim").await, shop.customer("lee").await, shop.admin().await);
    for path in ["", "/points", "/points/history", "/orders"] {
        let of_kim = format!("/api/users/{}{path}", kim.id);
        shop.get(&of_kim, Some(&lee)).await.refused(403, "FORBIDDEN");
        shop.get(&of_kim, None).await.refused(401, "UNAUTHENTICATED");
        assert_eq!(shop.get(&of_kim, Some(&admin)).await.status, 200);
        shop.get(&format!("/api/users/9999{path}"), Some(&admin)).await.refused(403, "INACTIVE_USER");
    }
    shop.post(&format!("/api/users/{}", kim.id), Some(&lee), json!({"name": "mine"})).await.refused(403, "FORBIDDEN");
    shop.post("/api/users/9999", Some(&admin), json!({"name": "nobody"})).await.refused(403, "INACTIVE_USER");
}

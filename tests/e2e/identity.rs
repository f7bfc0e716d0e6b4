//! Who may do what: tokens, other people's things, and administrators.

use crate::buyer::Buyer;
use crate::client::Client;
use crate::shop::{Shop, Ware};
use serde_json::{Value, json};

cases! {
    EVERYWHERE:
        nobody_reads_or_changes_what_is_not_theirs,
        without_a_valid_token_nothing_private_is_shown_or_changed,
        a_login_does_not_tell_which_half_was_wrong,
}

/// Two customers and an administrator of the demo shop; the first customer has a paid order and an unpaid one.
struct Company {
    shop: Shop,
    owner: Buyer,
    stranger: Client,
    admin: Client,
    unpaid: i64,
    payment: i64,
    coupon: i64,
    task: i64,
}

const STRANGER: i64 = 2;

fn is_stream(path: &str) -> bool {
    path.ends_with("/events") || path.contains("/status/")
}

impl Company {
    async fn meet() -> Self {
        let shop = Shop::start(&["--demo"]).await;
        let mut owner = Buyer { user: 1, client: shop.client().log_in("customer1@commerce.example", "commerce-demo").await };
        let stranger = shop.client().log_in("customer2@commerce.example", "commerce-demo").await;
        let mut admin = shop.client().log_in("admin@commerce.example", "commerce-admin").await;
        let option = json!({ "name": "one size", "price": 1_000, "stock": 5 });
        let product = json!({ "name": "Shoe", "category": "SHOES", "description": "A pair of shoes.", "options": [option] });
        let product = admin.post("/api/products", &product).await.ok();
        let id = |value: &Value| value.as_i64().expect("an id");
        let ware = Ware { product: id(&product["productId"]), option: id(&product["productOptions"][0]["productOptionId"]), price: 1_000 };
        owner.charge(5_000).await;
        let (paid, unpaid) = (owner.payable_order(ware, 1).await, owner.payable_order(ware, 1).await);
        let payment = id(&owner.pay(paid).await.ok()["id"]);
        let coupon = json!({ "name": "First come", "couponType": "FIXED", "discountValue": 5, "initialStock": 5, "expireAt": "2099-01-01T00:00:00Z" });
        let coupon = id(&admin.post("/api/coupons", &coupon).await.ok()["couponId"]);
        let task = owner.task_for(coupon).await;
        assert_eq!(owner.outcome(task).await["status"], "SUCCESS");
        Self { shop, owner, stranger, admin, unpaid, payment, coupon, task }
    }

    /// What only the owner and administrators may read, and how others are refused.
    fn private(&self) -> [(String, u16, &'static str); 9] {
        let (order, payment) = (self.unpaid, self.payment);
        let forbidden = |path: &str| (path.to_owned(), 403, "FORBIDDEN");
        let hidden = |path: String| (path, 404, "RESOURCE_NOT_FOUND");
        [
            forbidden("/api/users/1"),
            forbidden("/api/users/1/points"),
            forbidden("/api/users/1/points/history"),
            forbidden("/api/users/1/orders"),
            forbidden("/api/coupons/1"),
            hidden(format!("/api/orders/{order}")),
            hidden(format!("/api/orders/{order}/events")),
            hidden(format!("/api/payments/{payment}")),
            hidden(format!("/api/coupons/publish/status/{}", self.task)),
        ]
    }

    /// Changes that only the owner, or only an administrator, may make.
    fn changes(&self) -> Vec<(String, Value, u16, &'static str)> {
        let order = json!({ "userId": 1, "orderProductRequests": [{ "productOptionId": 1, "quantity": 1 }] });
        let payment = |user| json!({ "orderId": self.unpaid, "userId": user, "type": "POINT" });
        let product_option = json!({ "name": "one size", "price": 1_000, "stock": 5 });
        let product = json!({ "name": "Shoe", "category": "SHOES", "description": "A pair of shoes.", "options": [product_option] });
        let coupon =
            json!({ "name": "a coupon", "couponType": "FIXED", "discountValue": 5, "initialStock": 5, "expireAt": "2099-01-01T00:00:00Z" });
        let forbidden = |path: &str, body| (path.to_owned(), body, 403, "FORBIDDEN");
        let hidden = |path: String, body| (path, body, 404, "RESOURCE_NOT_FOUND");
        vec![
            forbidden("/api/users/1", json!({ "name": "taken over" })),
            forbidden("/api/users/1/points", json!({ "chargePoint": 1_000 })),
            forbidden("/api/orders", order),
            forbidden("/api/payments", payment(1)),
            hidden("/api/payments".into(), payment(STRANGER)),
            hidden(format!("/api/orders/{}/cancel", self.unpaid), Value::Null),
            hidden(format!("/api/payments/{}/refund", self.payment), Value::Null),
            forbidden("/api/products", product),
            forbidden("/api/products/options/1/stock", json!({ "delta": 5, "reason": "a gift" })),
            forbidden("/api/coupons", coupon),
            forbidden("/api/coupons/publish", json!({ "userId": 1, "couponId": self.coupon })),
        ]
    }

    async fn everything(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        for (path, ..) in self.private().into_iter().filter(|(path, ..)| !is_stream(path)) {
            all.push(self.admin.read(&path).await);
        }
        for path in ["/api/products?limit=100", "/api/coupons", "/api/users/2/orders"] {
            all.push(self.admin.read(path).await);
        }
        all
    }
}

async fn nobody_reads_or_changes_what_is_not_theirs() {
    let mut company = Company::meet().await;
    let before = company.everything().await;
    for (path, status, code) in company.private() {
        company.stranger.get(&path).await.is_refused(status, code);
        let owners = if is_stream(&path) { continue } else { company.owner.client.get(&path).await };
        owners.ok();
    }
    for (path, body, status, code) in company.changes() {
        company.stranger.post(&path, &body).await.is_refused(status, code);
    }
    assert_eq!(company.everything().await, before);
    let Company { shop, .. } = company;
    shop.closes_clean().await;
}

async fn without_a_valid_token_nothing_private_is_shown_or_changed() {
    let mut company = Company::meet().await;
    let before = company.everything().await;
    let mut anyone = company.shop.client();
    // A token that says it is not signed, one that is no token, and one of another scheme.
    let tokens = [
        None,
        Some("Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiIxIiwicm9sZSI6IkFETUlOIiwiZXhwIjo0MTAyNDQ0ODAwfQ."),
        Some("Bearer nonsense"),
        Some("Bearer "),
        Some("Basic Y3VzdG9tZXIxOnNlY3JldA=="),
    ];
    for token in tokens {
        let headers: Vec<_> =
            token.map(|token| ("authorization", token)).into_iter().chain([("content-type", "application/json")]).collect();
        for (path, ..) in company.private() {
            let answer = anyone.send("GET", &path, &headers, b"").await;
            answer.is_refused(401, "UNAUTHENTICATED");
            assert!(answer.head.header("www-authenticate").is_some(), "{answer}");
        }
        for (path, body, ..) in company.changes() {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            anyone.send("POST", &path, &headers, body.as_bytes()).await.is_refused(401, "UNAUTHENTICATED");
        }
    }
    for public in ["/api/products", "/api/products/1", "/api/products/rank/5", "/api/coupons"] {
        anyone.read(public).await;
    }
    assert_eq!(company.everything().await, before);
    let Company { shop, .. } = company;
    shop.closes_clean().await;
}

async fn a_login_does_not_tell_which_half_was_wrong() {
    let shop = Shop::start(&[]).await;
    let mut customer = shop.customer("somebody").await;
    let mut log_in = async |email: &str, password: &str| {
        let credentials = json!({ "email": email, "password": password });
        customer.client.post("/api/auth/login", &credentials).await
    };
    let wrong_password = log_in("somebody@shop.example", "another password").await;
    let wrong_email = log_in("nobody@shop.example", "a long password").await;
    wrong_password.is_refused(401, "BAD_CREDENTIALS");
    assert_eq!((wrong_email.status(), wrong_email.text()), (wrong_password.status(), wrong_password.text()));
    let session = log_in("SomeBody@shop.example", "a long password").await.ok();
    assert_eq!((&session["tokenType"], &session["userId"]), (&json!("Bearer"), &json!(customer.user)));
    assert!(session["expiresIn"].as_i64().is_some_and(|seconds| seconds > 0));
    let again = json!({ "name": "impostor", "email": "SOMEBODY@shop.example", "password": "a long password" });
    customer.client.post("/api/users", &again).await.is_refused(409, "DUPLICATE_EMAIL");
    shop.closes_clean().await;
}

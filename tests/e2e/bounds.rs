//! Numbers and texts at their bounds are taken, one past them is refused.

use crate::buyer::Buyer;
use crate::shop::{Shop, Ware};
use serde_json::{Value, json};

cases! {
    EVERYWHERE:
        a_charge_is_from_a_thousand_to_a_million_points,
        an_order_has_1_to_100_lines_of_1_to_10000_units,
        what_a_user_is_called_has_bounds,
        products_prices_and_stock_have_bounds,
        coupons_have_bounds,
        an_instant_without_an_offset_is_in_the_business_time_zone,
        pages_and_rankings_have_bounds_and_cursors_lead_through_everything_once,
}

const BILLION: i64 = 1_000_000_000;

/// Sends a change with each value in place of what `body` leaves open.
async fn takes(buyer: &mut Buyer, path: &str, body: impl Fn(Value) -> Value, taken: &[Value], refused: &[Value], code: &str) {
    for value in taken {
        let answer = buyer.client.post(path, &body(value.clone())).await;
        assert!((200..300).contains(&answer.status()), "{answer}");
    }
    for value in refused {
        buyer.client.post(path, &body(value.clone())).await.is_refused(400, code);
    }
}

fn letters(count: usize) -> Value {
    json!("é".repeat(count))
}

fn lines(ware: Ware, lines: usize, quantity: i64) -> Value {
    json!(vec![json!({ "productOptionId": ware.option, "quantity": quantity }); lines])
}

async fn a_charge_is_from_a_thousand_to_a_million_points() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("bounded").await;
    let path = format!("/api/users/{}/points", buyer.user);
    let (taken, refused) = ([1_000, 1_000_000], [999, 1_000_001, 0, -1, i64::MIN, i64::MAX]);
    let body = |value| json!({ "chargePoint": value });
    takes(&mut buyer, &path, body, &taken.map(|it| json!(it)), &refused.map(|it| json!(it)), "INVALID_USER_POINT").await;
    assert_eq!(buyer.balance().await, 1_001_000);
    shop.closes_clean().await;
}

async fn an_order_has_1_to_100_lines_of_1_to_10000_units() {
    let shop = Shop::open().await;
    let ware = shop.ware(1, BILLION).await;
    let mut buyer = shop.customer("bounded").await;
    let user = buyer.user;
    let order = |lines| json!({ "userId": user, "orderProductRequests": lines });
    let taken = [lines(ware, 1, 1), lines(ware, 1, 10_000), lines(ware, 100, 100), lines(ware, 2, 5_000)];
    let refused =
        [lines(ware, 1, 0), lines(ware, 1, -1), lines(ware, 1, 10_001), lines(ware, 2, 5_001), lines(ware, 0, 1), lines(ware, 101, 1)];
    takes(&mut buyer, "/api/orders", order, &taken, &refused, "INVALID_ORDER_QUANTITY").await;
    let orders = buyer.client.read(&format!("/api/users/{user}/orders")).await["items"].take();
    assert_eq!(orders.as_array().map(Vec::len), Some(taken.len()));
    for order in orders.as_array().expect("a list") {
        let settled = buyer.settled(order["id"].as_i64().expect("an id")).await;
        assert_eq!(settled["status"], "AWAITING_PAYMENT");
    }
    shop.closes_clean().await;
}

async fn what_a_user_is_called_has_bounds() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("bounded").await;
    let count = std::cell::Cell::new(0);
    let registration = |name: Value, password: Value| {
        count.set(count.get() + 1);
        json!({ "name": name, "email": format!("user{}@shop.example", count.get()), "password": password })
    };
    let names = |name| registration(name, json!("password"));
    takes(&mut buyer, "/api/users", names, &[2, 20].map(letters), &[0, 1, 21].map(letters), "INVALID_USER_NAME").await;
    let passwords = |password| registration(json!("somebody"), password);
    takes(&mut buyer, "/api/users", passwords, &[5, 72].map(letters), &[0, 4, 73].map(letters), "INVALID_USER_PASSWORD").await;
    let address = |bytes: usize| json!(format!("{}@shop.example", "a".repeat(bytes - "@shop.example".len())));
    let emails = |email| json!({ "name": "somebody", "email": email, "password": "password" });
    let refused = [address(255), json!(""), json!("nobody"), json!("a@b@c"), json!("@shop.example"), json!("a b@shop.example")];
    takes(&mut buyer, "/api/users", emails, &[address(254)], &refused, "INVALID_USER_EMAIL").await;
    let rename = format!("/api/users/{}", buyer.user);
    takes(&mut buyer, &rename, |name| json!({ "name": name }), &[2, 20].map(letters), &[1, 21].map(letters), "INVALID_USER_NAME").await;
    assert_eq!(buyer.client.read(&rename).await["name"], letters(20));
    shop.closes_clean().await;
}

async fn products_prices_and_stock_have_bounds() {
    let shop = Shop::open().await;
    let ware = shop.ware(1, 10).await;
    let mut buyer = shop.customer("bounded").await;
    let product = |field: &'static str| {
        move |value: Value| {
            let mut product = json!({ "name": "Shoe", "category": "SHOES", "description": "A pair of shoes.", "options": [] });
            let mut option = json!({ "name": "one size", "price": 1, "stock": 1 });
            match field.strip_prefix("option ") {
                Some(field) => option[field] = value,
                None => product[field] = value,
            }
            if field != "options" {
                product["options"] = json!([option]);
            }
            product
        }
    };
    let texts = [("name", 1, 30), ("description", 10, 200), ("option name", 1, 30)];
    for (field, shortest, longest) in texts {
        let (taken, refused) = ([shortest, longest].map(letters), [shortest - 1, longest + 1].map(letters));
        takes(&mut buyer, "/api/products", product(field), &taken, &refused, "INVALID_PARAMETER").await;
    }
    for field in ["option price", "option stock"] {
        let (taken, refused) = ([0, BILLION], [-1, BILLION + 1]);
        takes(&mut buyer, "/api/products", product(field), &taken.map(|it| json!(it)), &refused.map(|it| json!(it)), "INVALID_PARAMETER")
            .await;
    }
    takes(&mut buyer, "/api/products", product("options"), &[], &[json!([])], "INVALID_PARAMETER").await;
    takes(&mut buyer, "/api/products", product("category"), &[json!("FOOD")], &[json!("TOYS"), json!("food")], "INVALID_PARAMETER").await;
    let path = format!("/api/products/options/{}/stock", ware.option);
    let delta = |delta| json!({ "delta": delta, "reason": "a count" });
    let (taken, refused) = ([-10, BILLION, -BILLION], [-1, BILLION + 1, i64::MIN, i64::MAX]);
    takes(&mut buyer, &path, delta, &taken.map(|it| json!(it)), &refused.map(|it| json!(it)), "INVALID_STOCK").await;
    assert_eq!(shop.stock(ware).await, 0);
    shop.closes_clean().await;
}

async fn coupons_have_bounds() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("bounded").await;
    let coupon = |kind: &'static str, field: &'static str| {
        move |value: Value| {
            let mut coupon = json!({
                "name": "a coupon", "couponType": kind, "discountValue": 50, "initialStock": 5, "expireAt": "2099-01-01T00:00:00",
            });
            coupon[field] = value;
            coupon
        }
    };
    let path = "/api/coupons";
    let (percents, refused) = ([1, 100].map(|it| json!(it)), [0, -1, 101].map(|it| json!(it)));
    takes(&mut buyer, path, coupon("PERCENT", "discountValue"), &percents, &refused, "INVALID_PERCENT_DISCOUNT").await;
    let (values, refused) = ([1, BILLION].map(|it| json!(it)), [0, -1].map(|it| json!(it)));
    takes(&mut buyer, path, coupon("FIXED", "discountValue"), &values, &refused, "INVALID_FIXED_DISCOUNT").await;
    takes(&mut buyer, path, coupon("FIXED", "name"), &[5, 20].map(letters), &[4, 21].map(letters), "INVALID_PARAMETER").await;
    let (stocks, refused) = ([0, 100_000_000].map(|it| json!(it)), [-1, 100_000_001].map(|it| json!(it)));
    takes(&mut buyer, path, coupon("FIXED", "initialStock"), &stocks, &refused, "INVALID_PARAMETER").await;
    let instants = [json!("2099-01-01T00:00:00+09:00"), json!("2099-01-01T00:00:00.123Z"), json!("2099-12-31T00:00:00")];
    let refused = [json!("2099-02-30T00:00:00Z"), json!("tomorrow"), json!(""), json!("2099-01-01")];
    takes(&mut buyer, path, coupon("FIXED", "expireAt"), &instants, &refused, "INVALID_PARAMETER").await;
    takes(&mut buyer, path, coupon("DOUBLE", "discountValue"), &[], &[json!(1)], "INVALID_PARAMETER").await;
    shop.closes_clean().await;
}

async fn an_instant_without_an_offset_is_in_the_business_time_zone() {
    let shop = Shop::start(&["--auth", "off", "--time-zone", "Asia/Seoul"]).await;
    let mut client = shop.client();
    let instants = [("2099-01-01T00:00:00", "2098-12-31T15:00:00.000Z"), ("2099-01-01T00:00:00+01:00", "2098-12-31T23:00:00.000Z")];
    for (sent, told) in instants {
        let coupon = json!({ "name": "a coupon", "couponType": "FIXED", "discountValue": 50, "initialStock": 5, "expireAt": sent });
        assert_eq!(client.post("/api/coupons", &coupon).await.ok()["expireAt"], told);
    }
    shop.closes_clean().await;
}

async fn pages_and_rankings_have_bounds_and_cursors_lead_through_everything_once() {
    let shop = Shop::open().await;
    let ware = shop.ware(1, 100).await;
    let mut buyer = shop.customer("bounded").await;
    for _ in 0..5 {
        buyer.payable_order(ware, 1).await;
        buyer.charge(1_000).await;
        shop.ware(1, 1).await;
    }
    let user = format!("/api/users/{}", buyer.user);
    let lists = [format!("{user}/orders"), format!("{user}/points/history"), "/api/products".into(), "/api/coupons".into()];
    for list in lists {
        for limit in [1, 100] {
            buyer.client.get(&format!("{list}?limit={limit}")).await.ok();
        }
        for query in ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "cursor=nonsense", "cursor=%ff", "cursor="] {
            buyer.client.get(&format!("{list}?{query}")).await.is_refused(400, "INVALID_PARAMETER");
        }
        let all = buyer.client.read(&list).await["items"].take();
        let mut page = buyer.client.read(&format!("{list}?limit=2")).await;
        let mut found = page["items"].as_array().expect("a list").clone();
        while let Some(cursor) = page["nextCursor"].as_str() {
            let next = format!("{list}?limit=2&cursor={cursor}");
            page = buyer.client.read(&next).await;
            found.extend_from_slice(page["items"].as_array().expect("a list"));
        }
        assert_eq!(Value::Array(found), all, "{list}");
    }
    for rank in ["1", "100"] {
        buyer.client.get(&format!("/api/products/rank/{rank}")).await.ok();
    }
    for rank in ["0", "101", "-1", "five", "99999999999999999999"] {
        buyer.client.get(&format!("/api/products/rank/{rank}")).await.is_refused(400, "INVALID_PARAMETER");
    }
    buyer.client.get("/api/products?category=TOYS").await.is_refused(400, "INVALID_PARAMETER");
    shop.closes_clean().await;
}

//! What the benchmark asks of the shop before and after the load.

use super::knobs::{Goods, Knobs};
use crate::harness::http::{Connection, Request};
use crate::harness::process::admin;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

/// Something to buy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ware {
    pub(super) option: i64,
    pub(super) price: i64,
}

async fn data(address: SocketAddr, request: Request<'_>) -> Value {
    let response = Connection::to(address).send(request).await.expect("an answer");
    let mut envelope: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(response.head.status, 200, "{} {}: {envelope}", request.method, request.path);
    envelope["data"].take()
}

async fn read(address: SocketAddr, path: &str) -> Value {
    data(address, Request { method: "GET", path, headers: "", body: b"" }).await
}

/// A token with which every connection may buy for its own customer; none if nobody is checked.
pub(super) async fn administrator_token(address: SocketAddr, knobs: &Knobs) -> Option<String> {
    if !knobs.authenticated() {
        return None;
    }
    let body = json!({ "email": "admin@commerce.example", "password": "commerce-admin" }).to_string();
    let headers = "content-type: application/json\r\n";
    let session = data(address, Request { method: "POST", path: "/api/auth/login", headers, body: body.as_bytes() }).await;
    session["accessToken"].as_str().map(str::to_owned)
}

/// What is bought: the first option of the best seller, or every option that is not sold out.
pub(super) async fn wares(address: SocketAddr, knobs: &Knobs) -> Vec<Ware> {
    let products = match knobs.goods {
        Goods::OneHotOption => {
            let best = read(address, "/api/products/rank/1").await;
            json!([read(address, &format!("/api/products/{}", best[0]["productId"])).await])
        }
        Goods::Everything => read(address, "/api/products?limit=100").await["items"].take(),
    };
    let options = options(&products).into_iter().filter(|option| option["soldOut"] == false);
    let ware = |option: &Value| Some(Ware { option: option["productOptionId"].as_i64()?, price: option["price"].as_i64()? });
    let mut wares: Vec<_> = options.filter_map(ware).collect();
    if knobs.goods == Goods::OneHotOption {
        wares.truncate(1);
    }
    assert!(!wares.is_empty(), "there is nothing to buy");
    wares
}

/// The units of all products together.
pub(super) async fn stock(address: SocketAddr) -> i64 {
    let products = read(address, "/api/products?limit=100").await["items"].take();
    options(&products).iter().filter_map(|option| option["stock"].as_i64()).sum()
}

fn options(products: &Value) -> Vec<&Value> {
    let products = products.as_array().into_iter().flatten();
    products.filter_map(|product| product["productOptions"].as_array()).flatten().collect()
}

/// Checks every invariant of the shop in a directory.
pub(super) async fn audit(directory: &Path) -> Output {
    admin(directory).arg("audit").output().await.expect("commerce-admin can be run")
}

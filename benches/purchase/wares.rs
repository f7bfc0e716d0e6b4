//! What the benchmark asks of the shop before and after the load.

use crate::measure::server::read;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Something to buy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ware {
    pub(super) option: i64,
    pub(super) price: i64,
}

/// What is bought: the first option of the best seller, or every option that is not sold out.
pub(super) async fn wares(address: SocketAddr, only_the_best: bool) -> Vec<Ware> {
    let products = if only_the_best {
        let best = read(address, "/api/products/rank/1").await;
        json!([read(address, &format!("/api/products/{}", best[0]["productId"])).await])
    } else {
        read(address, "/api/products?limit=100").await["items"].take()
    };
    let options = options(&products).into_iter().filter(|option| option["soldOut"] == false);
    let ware = |option: &Value| Some(Ware { option: option["productOptionId"].as_i64()?, price: option["price"].as_i64()? });
    let mut wares: Vec<_> = options.filter_map(ware).collect();
    if only_the_best {
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

//! Products as everybody sees them: what does not change is kept for all, and stock is what there is now.

use crate::shop::{Shop, Ware};

cases! {
    EVERYWHERE:
        stock_is_what_there_is_now_on_every_server_while_the_rest_is_kept,
}

/// A look at each API server, so that each has what it keeps.
async fn shown_everywhere(shop: &Shop, ware: Ware) -> Vec<i64> {
    let mut shown = Vec::new();
    for _ in shop.addresses() {
        shown.push(shop.stock(ware).await);
    }
    shown
}

/// How often the API servers found a product in the cache, so far.
async fn hits(shop: &Shop) -> u64 {
    let mut hits = 0;
    for _ in shop.addresses() {
        let metrics = shop.client().get("/metrics").await;
        let samples = metrics.text();
        let of_products = samples.lines().filter(|line| line.starts_with("commerce_cache_reads_total{kind=\"product"));
        hits += of_products.filter_map(|line| line.split_once("outcome=\"hit\"} ")?.1.parse::<u64>().ok()).sum::<u64>();
    }
    hits
}

async fn stock_is_what_there_is_now_on_every_server_while_the_rest_is_kept() {
    let shop = Shop::open().await;
    let ware = shop.ware(1_000, 5).await;
    let mut buyer = shop.customer("buyer").await;
    let all = |stock| vec![stock; shop.addresses().len()];
    assert_eq!(shown_everywhere(&shop, ware).await, all(5));
    let kept = hits(&shop).await;

    // Whoever reads after an order has taken its stock sees that, wherever it reads.
    for left in [4, 3, 2, 1, 0] {
        buyer.payable_order(ware, 1).await;
        assert_eq!(shown_everywhere(&shop, ware).await, all(left));
    }
    let product = shop.client().read(&format!("/api/products/{}", ware.product)).await;
    assert_eq!((&product["productName"], &product["productOptions"][0]["soldOut"]), (&"Thing".into(), &true.into()));

    // A cache that is too slow is done without.
    assert!(hits(&shop).await >= kept + 5, "{kept} before");
    shop.closes_clean().await;
}

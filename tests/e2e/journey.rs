//! The way of a purchase through the demo shop: ranking, product, charge, order, payment, order again.

use crate::buyer::Buyer;
use crate::shop::{Shop, Ware};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

cases! {
    EVERYWHERE:
        six_steps_lead_to_a_completed_order,
        twenty_buyers_who_never_pause_meet_no_error,
}

const BUYERS: i64 = 20;
const LASTING: Duration = Duration::from_secs(3);

/// Ranking and product, as the load script reads them: the first option of the ranked product at `place`.
async fn choose(buyer: &mut Buyer, place: usize) -> Ware {
    let ranking = buyer.client.read("/api/products/rank/5").await;
    let ranking = ranking.as_array().expect("a list");
    let chosen = &ranking[place % ranking.len()];
    let product = buyer.client.read(&format!("/api/products/{}", chosen["productId"])).await;
    assert_eq!(product["productName"], chosen["productName"]);
    let option = &product["productOptions"][0];
    let number = |value: &Value| value.as_i64().expect("a number");
    Ware { product: number(&product["productId"]), option: number(&option["productOptionId"]), price: number(&option["price"]) }
}

/// The whole journey, polling as the load script does.
async fn purchase(buyer: &mut Buyer, place: usize) {
    let ware = choose(buyer, place).await;
    buyer.charge(1_000.max(ware.price * 2)).await;
    let order = buyer.order(ware, 1).await;
    for attempt in 1..=400_u32 {
        if buyer.look_at(order).await["status"] != "PENDING" {
            break;
        }
        sleep(Duration::from_millis(2 * u64::from(attempt.min(10)))).await;
    }
    buyer.pay(order).await.ok();
    let order = buyer.look_at(order).await;
    assert_eq!((&order["status"], &order["totalPrice"]), (&json!("COMPLETED"), &json!(ware.price)));
}

async fn six_steps_lead_to_a_completed_order() {
    let shop = Shop::demo().await;
    let mut buyer = shop.buyer(7);

    let ware = choose(&mut buyer, 0).await;
    let (stock, balance) = (shop.stock(ware).await, buyer.balance().await);
    assert_eq!(buyer.charge(2 * ware.price).await, balance + 2 * ware.price);
    let order = buyer.order(ware, 1).await;

    let settled = buyer.settled(order).await;
    assert_eq!((&settled["status"], &settled["totalPrice"]), (&json!("AWAITING_PAYMENT"), &json!(ware.price)));
    assert_eq!(shop.stock(ware).await, stock - 1);

    let payment = buyer.pay(order).await.ok();
    let expected = json!({ "id": payment["id"], "orderId": order, "paymentAmount": ware.price, "status": "COMPLETED" });
    assert_eq!(payment, expected);

    let completed = buyer.look_at(order).await;
    assert_eq!((&completed["status"], &completed["paymentId"]), (&json!("COMPLETED"), &payment["id"]));
    assert_eq!(completed["items"][0]["unitPrice"], ware.price);
    assert_eq!(buyer.balance().await, balance + ware.price);
    let entries = buyer.client.read("/api/users/7/points/history?limit=2").await["items"].take();
    assert_eq!((&entries[0]["kind"], &entries[0]["orderId"], &entries[1]["kind"]), (&json!("USE"), &json!(order), &json!("CHARGE")));
    let newest = buyer.client.read("/api/users/7/orders?limit=1").await["items"].take();
    assert_eq!(newest, json!([completed]));
    shop.closes_clean().await;
}

async fn twenty_buyers_who_never_pause_meet_no_error() {
    let shop = Shop::demo().await;
    let end = Instant::now() + LASTING;
    let buyers = (1..=BUYERS).map(|user| {
        let mut buyer = shop.buyer(user);
        async move {
            let mut purchases = 0;
            while Instant::now() < end {
                purchase(&mut buyer, purchases + usize::try_from(user).unwrap_or_default()).await;
                purchases += 1;
            }
            purchases
        }
    });
    let purchases = join_all(buyers).await;
    assert!(purchases.iter().all(|made| *made > 0), "somebody was starved: {purchases:?}");
    shop.closes_clean().await;
}

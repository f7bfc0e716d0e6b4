use super::client::Client;
use serde_json::json;

pub(super) const PRICE: i64 = 2_000;
const STOCK: i64 = 10_000_000;

/// What there is to want: a ware that does not run out, and coupons that do.
pub(crate) struct Offers {
    pub(crate) product: i64,
    pub(crate) option: i64,
    pub(crate) coupons: Vec<i64>,
}

impl Offers {
    /// Puts them up in a shop where nobody is checked.
    pub(crate) async fn put_up(client: &mut Client, coupons: u32, coupon_stock: i64) -> Self {
        let option = json!({ "name": "the only one", "price": PRICE, "stock": STOCK });
        let product = json!({ "name": "Thing", "category": "DIGITAL", "description": "A thing that is sold.", "options": [option] });
        let created = client.post("/api/products", &product).await;
        let location = created.head.header("location").unwrap_or_else(|| panic!("{created}")).to_owned();
        let product = client.read(&location).await;
        let number = |value: &serde_json::Value| value.as_i64().expect("an id");
        let mut offers = Self {
            product: number(&product["productId"]),
            option: number(&product["productOptions"][0]["productOptionId"]),
            coupons: Vec::new(),
        };
        for count in 0..coupons {
            let coupon = json!({
                "name": format!("Coupon {count}"), "couponType": "FIXED", "discountValue": 100, "initialStock": coupon_stock,
                "expireAt": "2099-01-01T00:00:00Z",
            });
            offers.coupons.push(number(&client.post("/api/coupons", &coupon).await.ok()["couponId"]));
        }
        offers
    }
}

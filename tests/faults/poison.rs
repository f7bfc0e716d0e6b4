//! Messages that nobody can handle: they are put aside, the rest goes on, and what was mended is handled after all.

use super::customers::client::Client;
use super::customers::eventually;
use super::records::Records;
use super::scenario::play;
use super::stage::Stage;
use commerce_core::messaging::Topic;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use tokio::time::Instant;

/// What an event that is well-formed has in its headers.
const SOUND: [(&str, &str); 5] =
    [("type", "OrderCreated"), ("version", "1"), ("aggregate-type", "order"), ("occurred-at", "1767225600000"), ("correlation", "order-1")];

pub(crate) async fn poison_is_put_aside_and_handled_once_it_is_mended(stage: &mut Stage) {
    play(stage, "poison messages", async |stage, journal| {
        let letters = Letters::of(stage).await;
        let records = Records::of(stage);
        let began = Instant::now();
        for topic in Topic::ALL {
            records.spoiled(topic, "1", &[], b"\xff\xfe no event at all").await;
        }
        let unreadable: Vec<_> = [("id", "4503599627370000")].into_iter().chain(SOUND).collect();
        records.spoiled(Topic::Order, "1", &unreadable, b"{ broken").await;
        let spoiled = Spoiled::order(stage).await;
        eventually("the poison is put aside", async || {
            let new = letters.new_ones(stage).await;
            let (of_the_order, others): (Vec<_>, Vec<_>) = new.iter().partition(|letter| letter.contains(&spoiled.correlation()));
            // What cannot be read is put aside by every group that reads the topic.
            of_the_order.len() == 1 && others.len() > Topic::ALL.len()
        })
        .await;
        // The rest goes on.
        let over = Instant::now();
        assert!(journal.served_since(began).len() > 50, "the rest goes on");
        spoiled.is_mended(stage).await;
        over
    })
    .await;
}

/// The dead letters of a shop, a line each.
struct Letters(Vec<String>);

impl Letters {
    async fn of(stage: &Stage) -> Self {
        let (code, list) = stage.operate(&["dead-letters", "list"]).await;
        assert_eq!(code, Some(0), "{list}");
        Self(list.lines().filter(|line| line.contains('\t')).map(str::to_owned).collect())
    }

    /// Those that have come since.
    async fn new_ones(&self, stage: &Stage) -> Vec<String> {
        let mut now = Self::of(stage).await.0;
        now.retain(|letter| !self.0.contains(letter));
        now
    }
}

/// A cancelled order whose stock cannot be put back, for the row of the stock is missing.
struct Spoiled {
    product: i64,
    option: i64,
    order: i64,
}

impl Spoiled {
    async fn order(stage: &mut Stage) -> Self {
        let mut client = stage.client();
        let user = stage.next_name("p");
        let registration = json!({ "name": user, "email": format!("{user}@shop.example"), "password": "a long password" });
        let user = client.post("/api/users", &registration).await.ok()["id"].as_i64().expect("an id");
        let option = json!({ "name": "the only one", "price": 1_000, "stock": 10 });
        let product = json!({ "name": "Spoiled", "category": "FOOD", "description": "A thing that is spoiled.", "options": [option] });
        let location = client.post("/api/products", &product).await.head.header("location").expect("where it is").to_owned();
        let product = client.read(&location).await;
        let (product, option) =
            (product["productId"].as_i64().expect("an id"), product["productOptions"][0]["productOptionId"].as_i64().expect("an id"));
        let order = json!({ "userId": user, "orderProductRequests": [{ "productOptionId": option, "quantity": 3 }] });
        let order = client.post_with("/api/orders", &order, &[("prefer", "wait=30")]).await.ok();
        assert_eq!(order["status"], "AWAITING_PAYMENT", "{order}");
        let spoiled = Self { product, option, order: order["id"].as_i64().expect("an id") };
        assert_eq!(spoiled.stock(&mut client).await, 7);
        let hide = format!("UPDATE stocks SET option_id = -option_id WHERE option_id = {option}");
        stage.premises().database().await.execute(AssertSqlSafe(hide)).await.expect("it is spoiled");
        let cancelled = client.post(&format!("/api/orders/{}/cancel", spoiled.order), &Value::Null).await.ok();
        assert_eq!(cancelled["status"], "CANCELLED");
        spoiled
    }

    fn correlation(&self) -> String {
        format!("order-{}\t", self.order)
    }

    async fn stock(&self, client: &mut Client) -> i64 {
        client.read(&format!("/api/products/{}", self.product)).await["productOptions"][0]["stock"].as_i64().expect("a number")
    }

    /// The row is there again, and the dead letter is replayed: once, however often an operator asks for it.
    async fn is_mended(&self, stage: &Stage) {
        let mend = format!("UPDATE stocks SET option_id = -option_id WHERE option_id = -{}", self.option);
        stage.premises().database().await.execute(AssertSqlSafe(mend)).await.expect("it is mended");
        for _ in 0..2 {
            let (code, said) = stage.operate(&["dead-letters", "replay", "--all"]).await;
            assert_eq!(code, Some(0), "{said}");
        }
        let mut client = stage.client();
        eventually("the units are back on the shelf", async || self.stock(&mut client).await == 10).await;
    }
}

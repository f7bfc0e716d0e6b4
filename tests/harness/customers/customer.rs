use super::account::Account;
use super::client::{Answer, Client};
use super::journal::Outcome;
use super::promises::{OrderState, Promises, outcome_of};
use super::wish::{Request, Wish};
use super::{Chance, Doors, Journal, Kind, Offers};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const FIRST_CHARGE: i64 = 2_500;
/// Then a customer gives a request up, and asks at another door.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// The pause before a customer asks again who was not served.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The pause between two wishes of a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace(pub(crate) Duration);

/// A customer who has one wish after the other and remembers what it was told.
pub(crate) struct Customer {
    user: i64,
    doors: Doors,
    client: Client,
    chance: Chance,
    pace: Pace,
    journal: Rc<Journal>,
    wishes: u64,
    next_charge: i64,
    promises: Promises,
    /// Coupons that went into an order.
    spent: BTreeSet<i64>,
    /// What was sent under a key and not served: it is sent again, with the same key.
    unserved: Option<Request>,
}

impl Customer {
    /// A new customer of a shop where nobody is checked.
    pub(crate) async fn register(name: &str, doors: &Doors, mut chance: Chance, pace: Pace, journal: &Rc<Journal>) -> Self {
        let mut client = Client::to(doors.any(&mut chance));
        let registration = json!({ "name": name, "email": format!("{name}@shop.example"), "password": "a long password" });
        let user = client.post("/api/users", &registration).await.ok()["id"].as_i64().expect("an id");
        let (doors, journal, spent) = (doors.clone(), Rc::clone(journal), BTreeSet::new());
        Self {
            user,
            doors,
            client,
            chance,
            pace,
            journal,
            wishes: 0,
            next_charge: FIRST_CHARGE,
            promises: Promises::default(),
            spent,
            unserved: None,
        }
    }

    /// Has one wish after the other until the shop closes.
    pub(crate) async fn live(&mut self, offers: &Offers, closing: &Cell<bool>) {
        while !closing.get() {
            self.step(offers).await;
            sleep(self.pace.0).await;
        }
    }

    async fn step(&mut self, offers: &Offers) {
        if self.chance.one_in(20) {
            self.go_to_another_door();
        }
        if let Some(request) = self.unserved.clone() {
            return self.ask(request).await;
        }
        let wish = self.wish(offers).await;
        self.wishes += 1;
        let key = self.chance.one_in(2).then(|| format!("{}-{}", self.user, self.wishes));
        self.ask(Request { wish, key, sent_before: false }).await;
        match self.chance.below(6) {
            0 | 1 => self.look_at_a_task().await,
            2 => drop(self.look(&format!("/api/products/{}", offers.product)).await),
            3 => drop(self.look("/api/products/rank/5").await),
            _ => {}
        }
    }

    async fn wish(&mut self, offers: &Offers) -> Wish {
        let last = self.promises.orders.iter().next_back().map(|(order, told)| (*order, told.state));
        match (last, self.chance.below(6)) {
            (_, 0 | 1) => Wish::Coupon(self.chance.pick(&offers.coupons)),
            (Some((order, OrderState::Placed)), 2 | 3) => Wish::Pay { order },
            (Some((order, OrderState::Placed)), 4) => Wish::Cancel { order },
            (Some((order, OrderState::Paid { payment })), 2) => Wish::Refund { order, payment },
            (_, 5) => {
                self.next_charge += 1;
                Wish::Charge(self.next_charge)
            }
            _ => Wish::Order { option: offers.option, coupon: self.a_coupon_to_spend().await },
        }
    }

    /// Now and then, one of the coupons in hand.
    async fn a_coupon_to_spend(&mut self) -> Option<i64> {
        if !self.chance.one_in(4) {
            return None;
        }
        let held = self.look(&format!("/api/coupons/{}", self.user)).await?;
        let unused = held["couponResponseList"].as_array()?.iter().filter(|held| held["couponStatus"] == "ISSUED");
        let coupon = unused.filter_map(|held| held["userCouponId"].as_i64()).find(|coupon| !self.spent.contains(coupon))?;
        self.spent.insert(coupon);
        Some(coupon)
    }

    /// Sends a request, and remembers what is told.
    async fn ask(&mut self, request: Request) {
        let (path, body) = request.wish.request_of(self.user);
        let mut headers = vec![("content-type", "application/json")];
        if self.chance.one_in(2) {
            headers.push(("prefer", "wait=5"));
        }
        let key = request.key.clone();
        headers.extend(key.as_deref().map(|key| ("idempotency-key", key)));
        let began = Instant::now();
        let answer = self.send("POST", &path, &headers, &body).await;
        let outcome = answer.as_ref().map_or_else(|silence| *silence, |answer| outcome_of(&request.wish, answer));
        self.journal.note(request.wish.kind(), began, outcome);
        self.unserved = None;
        match (outcome, answer) {
            (Outcome::Done | Outcome::Refused, Ok(answer)) => {
                self.promises.remember(&request.wish, &answer);
                if key.is_some() && !request.sent_before && self.chance.one_in(8) {
                    self.ask_the_same(&request.wish, &path, &headers, &body, &answer).await;
                }
            }
            (_, answer) => {
                if key.is_some() {
                    self.unserved = Some(Request { sent_before: true, ..request });
                } else if outcome != Outcome::Ambiguous {
                    self.promises.turned_away(&request);
                }
                if answer.is_ok() {
                    self.go_to_another_door();
                }
                sleep(ASK_AGAIN_AFTER).await;
            }
        }
    }

    /// Asks once more under the same key what was answered already: it is answered as before.
    async fn ask_the_same(&mut self, wish: &Wish, path: &str, headers: &[(&str, &str)], body: &[u8], before: &Answer) {
        let Ok(again) = self.send("POST", path, headers, body).await else { return };
        if matches!(outcome_of(wish, &again), Outcome::Done | Outcome::Refused) {
            let replayed = again.head.header("idempotent-replayed").is_some();
            assert_eq!((replayed, again.status(), again.text()), (true, before.status(), before.text()), "{again}");
        }
    }

    /// Now and then, has a look at what became of the last request for a coupon.
    async fn look_at_a_task(&mut self) {
        let Some(task) = self.promises.undecided() else { return };
        if let Some(now) = self.look(&format!("/api/coupons/publish/status/{task}")).await {
            self.promises.learn(task, &now);
        }
    }

    /// Reads something that is there, if it can be read now.
    async fn look(&mut self, path: &str) -> Option<Value> {
        let began = Instant::now();
        let answer = self.send("GET", path, &[("accept", "application/json")], b"").await;
        let outcome = match &answer {
            Ok(answer) if answer.status() == 200 => Outcome::Done,
            Ok(answer) if answer.status() == 503 && answer.code() == "OVERLOADED" => Outcome::Unavailable,
            Ok(answer) => panic!("nobody should be told this: {answer}"),
            Err(Outcome::Unreached) => Outcome::Unreached,
            Err(_) => Outcome::Unavailable,
        };
        self.journal.note(Kind::Look, began, outcome);
        (outcome == Outcome::Done).then(|| answer.expect("an answer").ok())
    }

    /// Sends something; after a request that was not answered, the next one goes to another door.
    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, Outcome> {
        let answer = timeout(ANSWER_WITHIN, self.client.try_send(method, path, headers, body)).await;
        let silence = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Outcome::Unreached,
            Ok(Err(_)) | Err(_) => Outcome::Ambiguous,
        };
        self.go_to_another_door();
        Err(silence)
    }

    fn go_to_another_door(&mut self) {
        self.client = Client::to(self.doors.any(&mut self.chance));
    }

    /// When all servers answer again: everything that was told holds, and everything that was begun comes to an end.
    pub(crate) async fn holds_the_shop_to_it(&mut self) {
        self.go_to_another_door();
        let deadline = Instant::now() + super::PATIENCE;
        while let Some(request) = self.unserved.clone() {
            assert!(Instant::now() < deadline, "it is not served: {request:?}");
            self.ask(request).await;
        }
        Account { user: self.user, client: &mut self.client }.agrees_with(&self.promises).await;
    }

    /// How many charges, orders and requests for coupons the customer was told of.
    pub(crate) fn was_told(&self) -> [usize; 3] {
        [self.promises.charges.len(), self.promises.orders.len(), self.promises.tasks.len()]
    }
}

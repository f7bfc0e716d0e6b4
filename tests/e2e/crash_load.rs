//! A server that is killed at random moments under all kinds of requests: whatever anybody was told is true afterwards.

use crate::buyer::{Buyer, PATIENCE, eventually};
use crate::client::{Answer, Client};
use crate::shop::{Shop, Ware};
use futures_util::future::{join, join_all};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use tokio::time::sleep;

const KILLS: u32 = 22;
const CUSTOMERS: i64 = 10;
const PRICE: i64 = 2_000;
const COUPONS: u64 = 60;
/// Fewer than there are customers, so that the gate refuses some.
const COUPON_STOCK: i64 = 7;
/// Charges differ, so that each is known by its amount.
const FIRST_CHARGE: i64 = 2_500;

/// Numbers that look like chance and follow from a seed: xorshift64*.
struct Chance(u64);

impl Chance {
    const fn of(seed: u64) -> Self {
        Self(if seed == 0 { 1 } else { seed })
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// What somebody wants.
#[derive(Clone)]
enum Wish {
    Charge(i64),
    Order(Value),
    Pay { order: i64 },
    Cancel { order: i64 },
    Refund { order: i64, payment: i64 },
    Coupon(i64),
}

/// A wish, and the key under which it may be sent again.
#[derive(Clone)]
struct Request {
    wish: Wish,
    key: Option<String>,
}

/// The last that was told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Placed,
    Paid { payment: i64 },
    Refunded,
    Cancelled,
}

/// What became of a request for a coupon, as it was told.
#[derive(Debug, Clone, PartialEq)]
enum Task {
    Admitted,
    Decided { status: String },
    Known(Value),
}

/// A customer who remembers what it was told.
struct Customer {
    buyer: Buyer,
    chance: Chance,
    wishes: u64,
    next_charge: i64,
    charges: Vec<i64>,
    orders: BTreeMap<i64, Order>,
    tasks: BTreeMap<i64, Task>,
    /// What was sent under a key and not answered: it is sent again, with the same key, when the server is back.
    unanswered: Option<Request>,
}

/// What there is to want.
struct Offers {
    ware: Ware,
    coupons: Vec<i64>,
}

impl Customer {
    fn of(buyer: Buyer, chance: Chance) -> Self {
        let (charges, orders, tasks) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { buyer, chance, wishes: 0, next_charge: FIRST_CHARGE, charges, orders, tasks, unanswered: None }
    }

    /// Has one wish after the other until the server is gone.
    async fn live(mut self, offers: &Offers) -> Self {
        while self.step(offers).await.is_some() {}
        self
    }

    /// `None` once the server is gone.
    async fn step(&mut self, offers: &Offers) -> Option<()> {
        if let Some(request) = self.unanswered.clone() {
            return self.ask(request).await;
        }
        let wish = self.wish(offers);
        self.wishes += 1;
        let key = self.chance.one_in(2).then(|| format!("{}-{}", self.buyer.user, self.wishes));
        self.ask(Request { wish, key }).await?;
        self.look_at_a_task().await
    }

    fn wish(&mut self, offers: &Offers) -> Wish {
        let last = self.orders.iter().next_back().map(|(order, state)| (*order, *state));
        match (last, self.chance.below(6)) {
            (_, 0 | 1) => {
                let pick = usize::try_from(self.chance.below(COUPONS)).expect("a small number");
                Wish::Coupon(offers.coupons[pick])
            }
            (Some((order, Order::Placed)), 2 | 3) => Wish::Pay { order },
            (Some((order, Order::Placed)), 4) => Wish::Cancel { order },
            (Some((order, Order::Paid { payment })), 2) => Wish::Refund { order, payment },
            (_, 5) => {
                self.next_charge += 1;
                Wish::Charge(self.next_charge)
            }
            _ => Wish::Order(self.buyer.order_of(offers.ware, 1)),
        }
    }

    /// Sends a request. What is told is remembered; an answer that nobody should be given fails the test.
    async fn ask(&mut self, request: Request) -> Option<()> {
        let user = self.buyer.user;
        let (path, body) = match &request.wish {
            Wish::Charge(points) => (format!("/api/users/{user}/points"), json!({ "chargePoint": points })),
            Wish::Order(order) => ("/api/orders".to_owned(), order.clone()),
            Wish::Pay { order } => ("/api/payments".to_owned(), json!({ "orderId": order, "userId": user, "type": "POINT" })),
            Wish::Cancel { order } => (format!("/api/orders/{order}/cancel"), Value::Null),
            Wish::Refund { payment, .. } => (format!("/api/payments/{payment}/refund"), Value::Null),
            Wish::Coupon(coupon) => ("/api/coupons/publish".to_owned(), json!({ "userId": user, "couponId": coupon })),
        };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut headers = vec![("content-type", "application/json")];
        if self.chance.one_in(2) {
            headers.push(("prefer", "wait=10"));
        }
        if let Some(key) = &request.key {
            headers.push(("idempotency-key", key));
            self.unanswered = Some(request.clone());
        }
        let answer = self.buyer.client.try_send("POST", &path, &headers, &body).await.ok()?;
        // Whoever asks again too soon may meet the request it has given up.
        if answer.status() == 409 && answer.code() == "IDEMPOTENCY_KEY_IN_FLIGHT" {
            return Some(());
        }
        if is_ending(&answer) {
            return None;
        }
        self.unanswered = None;
        self.remember(&request.wish, &answer);
        Some(())
    }

    fn remember(&mut self, wish: &Wish, answer: &Answer) {
        if answer.status() >= 300 {
            let code = answer.code();
            let possible: &[&str] = match wish {
                Wish::Charge(_) | Wish::Order(_) => &[],
                Wish::Pay { .. } => &["CANNOT_PAY_ORDER", "INSUFFICIENT_USER_POINT"],
                Wish::Cancel { .. } => &["CANNOT_CANCEL_ORDER"],
                Wish::Refund { .. } => &["CANNOT_REFUND_PAYMENT"],
                Wish::Coupon(_) => &["DUPLICATED_COUPON", "OUT_OF_STOCK_COUPON"],
            };
            assert!(possible.contains(&code.as_str()), "{answer}");
            return;
        }
        let told = answer.ok();
        let id = told["id"].as_i64();
        match *wish {
            Wish::Charge(points) => self.charges.push(points),
            Wish::Order(_) => {
                self.orders.insert(id.expect("an id"), Order::Placed);
            }
            Wish::Pay { order } => {
                self.orders.insert(order, Order::Paid { payment: id.expect("an id") });
            }
            Wish::Cancel { order } => {
                self.orders.insert(order, Order::Cancelled);
            }
            Wish::Refund { order, .. } => {
                self.orders.insert(order, Order::Refunded);
            }
            Wish::Coupon(_) => {
                let status = told["status"].as_str().filter(|status| *status != "PENDING").map(str::to_owned);
                let task = status.map_or(Task::Admitted, |status| Task::Decided { status });
                self.tasks.insert(told["taskId"].as_i64().expect("an id"), task);
            }
        }
    }

    /// Now and then, has a look at what became of the last request for a coupon.
    async fn look_at_a_task(&mut self) -> Option<()> {
        let undecided = |(task, known): (&i64, &Task)| (!matches!(known, Task::Known(_))).then_some(*task);
        let Some(task) = self.tasks.iter().rev().find_map(undecided).filter(|_| self.chance.one_in(3)) else { return Some(()) };
        let told = task_now(&mut self.buyer.client, task).await?;
        if told["status"] != "PENDING" {
            let before = self.tasks.insert(task, Task::Known(told.clone()));
            assert!(before.is_some_and(|before| agrees(&before, &told)), "{told}");
        }
        Some(())
    }

    /// Everything that was told holds, and everything that was begun has come to an end.
    async fn holds_true(&mut self) {
        while self.unanswered.is_some() {
            let request = self.unanswered.clone().expect("a request");
            self.ask(request).await.expect("the server is back");
        }
        self.charges_are_in_the_history_once().await;
        self.orders_are_as_told_and_end().await;
        self.tasks_are_as_told_and_end().await;
    }

    async fn charges_are_in_the_history_once(&mut self) {
        let user = self.buyer.user;
        let entries = everything(&mut self.buyer.client, &format!("/api/users/{user}/points/history")).await;
        let mut charged: Vec<_> = entries.iter().filter(|entry| entry["kind"] == "CHARGE").map(|entry| entry["amount"].as_i64()).collect();
        charged.sort_unstable();
        assert!(charged.is_sorted_by(|one, next| one < next), "a charge was made twice: {charged:?}");
        for points in &self.charges {
            assert!(charged.binary_search(&Some(*points)).is_ok(), "user {user} was charged {points}, it was said");
        }
    }

    async fn orders_are_as_told_and_end(&mut self) {
        let user = self.buyer.user;
        let list = format!("/api/users/{user}/orders");
        let mut orders = BTreeMap::new();
        eventually("every order has come to its end", async || {
            let items = everything(&mut self.buyer.client, &list).await;
            orders =
                items.into_iter().map(|order| (order["id"].as_i64(), order["status"].as_str().unwrap_or_default().to_owned())).collect();
            orders.values().all(|status| status != "PENDING" && status != "AWAITING_PAYMENT")
        })
        .await;
        for (order, told) in &self.orders {
            let is = orders.get(&Some(*order)).unwrap_or_else(|| panic!("order {order} of user {user} is gone"));
            let possible: &[&str] = match told {
                Order::Placed => &["COMPLETED", "REFUNDED", "CANCELLED", "EXPIRED"],
                Order::Paid { .. } => &["COMPLETED", "REFUNDED"],
                Order::Refunded => &["REFUNDED"],
                Order::Cancelled => &["CANCELLED"],
            };
            assert!(possible.contains(&is.as_str()), "order {order} is {is} although it was told to be {told:?}");
        }
    }

    async fn tasks_are_as_told_and_end(&mut self) {
        let mut places = Vec::new();
        for (task, told) in &self.tasks {
            let mut now = Value::Null;
            eventually("the request for a coupon is decided", async || {
                now = task_now(&mut self.buyer.client, *task).await.expect("an answer");
                now["status"] != "PENDING"
            })
            .await;
            assert!(agrees(told, &now), "task {task} was {told:?} and is {now}");
            places.extend(now["position"].as_i64());
        }
        let held = self.buyer.client.read(&format!("/api/coupons/{}", self.buyer.user)).await;
        let mut held: Vec<_> = held["couponResponseList"].as_array().expect("a list").iter().map(|one| one["position"].as_i64()).collect();
        for place in places {
            let found = held.iter().position(|held| *held == Some(place));
            held.swap_remove(found.unwrap_or_else(|| panic!("user {} was given place {place}, it was said", self.buyer.user)));
        }
    }

    fn told_of_coupons(&self) -> usize {
        self.tasks.len()
    }
}

/// A request for a coupon as it is now; `None` if the server is gone.
async fn task_now(client: &mut Client, task: i64) -> Option<Value> {
    let path = format!("/api/coupons/publish/status/{task}");
    let answer = client.try_send("GET", &path, &[("accept", "application/json")], b"").await.ok()?;
    (!is_ending(&answer)).then(|| answer.ok())
}

/// Whether this is the answer of a server that has been told to end.
fn is_ending(answer: &Answer) -> bool {
    answer.status() == 503 && answer.code() == "OVERLOADED"
}

fn agrees(told: &Task, now: &Value) -> bool {
    match told {
        Task::Admitted => true,
        Task::Decided { status } => now["status"] == status.as_str(),
        Task::Known(value) => value == now,
    }
}

/// All items of a list, page by page.
async fn everything(client: &mut Client, list: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = client.read(&format!("{list}?limit=100{cursor}")).await;
        items.append(page["items"].as_array_mut().expect("a list"));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

async fn offers(shop: &Shop) -> Offers {
    let ware = shop.ware(PRICE, 1_000_000).await;
    let mut client = shop.client();
    let mut coupons = Vec::new();
    for number in 0..COUPONS {
        let coupon = json!({
            "name": format!("Coupon {number}"), "couponType": "FIXED", "discountValue": 100, "initialStock": COUPON_STOCK,
            "expireAt": "2099-01-01T00:00:00Z",
        });
        coupons.push(client.post("/api/coupons", &coupon).await.ok()["couponId"].as_i64().expect("an id"));
    }
    Offers { ware, coupons }
}

/// Lets customers live until the server is sent a signal in the middle of it all, and they notice.
async fn live_until(signal: Signal, moment: Duration, shop: &Shop, customers: Vec<Customer>, offers: &Offers) -> Vec<Customer> {
    let living = join_all(customers.into_iter().map(|customer| customer.live(offers)));
    let signalling = async {
        sleep(moment).await;
        shop.signal(signal);
    };
    let (customers, ()) = tokio::time::timeout(PATIENCE, join(living, signalling)).await.expect("everybody notices");
    customers
}

async fn customers_of(shop: &Shop, chance: &mut Chance) -> Vec<Customer> {
    let mut customers = Vec::new();
    for number in 0..CUSTOMERS {
        let buyer = shop.customer(&format!("customer{number}")).await;
        customers.push(Customer::of(buyer, Chance::of(chance.below(u64::MAX))));
    }
    customers
}

#[tokio::test]
async fn a_server_that_is_told_to_end_under_load_leaves_nothing_undone() {
    const ENDS: u64 = 3;
    let mut chance = Chance::of(RandomState::new().build_hasher().finish());
    let arguments = &["--auth", "off", "--coupon-window", "0s", "--payment-deadline", "3s"];
    let mut shop = Shop::start(arguments).await;
    let offers = offers(&shop).await;
    let mut customers = customers_of(&shop, &mut chance).await;
    for _ in 0..ENDS {
        let moment = Duration::from_millis(200 + chance.below(300));
        customers = live_until(Signal::TERM, moment, &shop, customers, &offers).await;
        // Nobody is there any more who could finish anything.
        let file = shop.ended().await;
        file.admin(&["audit"]).await.ended(0);
        shop = Shop::on(file, arguments).await;
        for customer in &mut customers {
            customer.buyer = shop.buyer(customer.buyer.user);
        }
    }
    join_all(customers.iter_mut().map(Customer::holds_true)).await;
    shop.closes_clean().await;
}

#[tokio::test]
async fn whatever_anybody_was_told_is_true_after_many_kills_at_random_moments() {
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("the moments follow from CRASH_SEED={seed}");
    let mut chance = Chance::of(seed);
    let mut shop = Shop::start(&["--auth", "off", "--coupon-window", "0s", "--payment-deadline", "3s"]).await;
    let offers = offers(&shop).await;
    let mut customers = customers_of(&shop, &mut chance).await;

    for _ in 0..KILLS {
        let moment = Duration::from_millis(20 + chance.below(500));
        customers = live_until(Signal::KILL, moment, &shop, customers, &offers).await;
        shop = shop.crash_and_restart().await;
        for customer in &mut customers {
            customer.buyer = shop.buyer(customer.buyer.user);
        }
    }

    join_all(customers.iter_mut().map(Customer::holds_true)).await;
    let told = |count: fn(&Customer) -> usize| customers.iter().map(count).sum::<usize>();
    let (charges, orders, coupons) = (told(|it| it.charges.len()), told(|it| it.orders.len()), told(Customer::told_of_coupons));
    println!("told of {charges} charges, {orders} orders and {coupons} places");
    assert!(charges > 50 && orders > 100 && coupons > 50, "too little was under way: {charges}, {orders}, {coupons}");
    shop.closes_clean().await;
}

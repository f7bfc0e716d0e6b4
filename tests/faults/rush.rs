//! Many customers who want few coupons, all at once.

use super::customers::client::{Answer, Client};
use super::customers::{Chance, Doors, eventually_within};
use super::stage::{QUIET_WITHIN, Stage};
use futures_util::future::join_all;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const RACERS: u64 = 40;
const COUPONS: u64 = 8;
const STOCK: usize = 25;
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A rush, and what came of it.
pub(crate) struct Rush {
    doors: Doors,
    racers: Vec<i64>,
    coupons: Vec<i64>,
    admitted: RefCell<Vec<Admission>>,
    /// When somebody was told to come back.
    told_to_come_back: RefCell<Vec<Instant>>,
}

/// A place that somebody was told of.
struct Admission {
    user: i64,
    task: i64,
    /// When the request was made.
    asked_at: Instant,
}

impl Rush {
    /// The coupons are on offer, and the racers are customers.
    pub(crate) async fn gather(stage: &mut Stage) -> Self {
        let (mut client, names) = (stage.client(), stage.next_name("r"));
        let (mut racers, mut coupons) = (Vec::new(), Vec::new());
        for number in 0..RACERS {
            let registration = json!({ "name": format!("{names}n{number}"), "email": format!("{names}n{number}@shop.example"), "password": "a long password" });
            racers.push(client.post("/api/users", &registration).await.ok()["id"].as_i64().expect("an id"));
        }
        for number in 0..COUPONS {
            let coupon = json!({
                "name": format!("Rush {number}"), "couponType": "PERCENT", "discountValue": 5, "initialStock": STOCK, "expireAt": "2099-01-01T00:00:00Z",
            });
            coupons.push(client.post("/api/coupons", &coupon).await.ok()["couponId"].as_i64().expect("an id"));
        }
        Self { doors: stage.doors(), racers, coupons, admitted: RefCell::default(), told_to_come_back: RefCell::default() }
    }

    /// Everybody asks for every coupon until it is decided.
    pub(crate) async fn run(&self) {
        join_all(self.racers.iter().map(|user| self.race(*user))).await;
    }

    async fn race(&self, user: i64) {
        let mut chance = Chance::of(user.unsigned_abs());
        let mut wanted = self.coupons.clone();
        let mut client = Client::to(self.doors.any(&mut chance));
        while !wanted.is_empty() {
            let coupon = chance.pick(&wanted);
            let request = json!({ "userId": user, "couponId": coupon }).to_string();
            let asked_at = Instant::now();
            let answer = client.try_send("POST", "/api/coupons/publish", &[("content-type", "application/json")], request.as_bytes()).await;
            match answer {
                Ok(answer) if self.is_decided(user, asked_at, &answer) => wanted.retain(|wanted| *wanted != coupon),
                _ => {
                    sleep(ASK_AGAIN_AFTER).await;
                    client = Client::to(self.doors.any(&mut chance));
                }
            }
        }
    }

    fn is_decided(&self, user: i64, asked_at: Instant, answer: &Answer) -> bool {
        if answer.status() == 202 {
            let task = answer.ok()["taskId"].as_i64().expect("an id");
            self.admitted.borrow_mut().push(Admission { user, task, asked_at });
            return true;
        }
        match (answer.status(), answer.code().as_str()) {
            (409, "DUPLICATED_COUPON") | (400, "OUT_OF_STOCK_COUPON") => true,
            (503, "OVERLOADED") => {
                assert!(answer.head.header("retry-after").is_some(), "{answer}");
                self.told_to_come_back.borrow_mut().push(asked_at);
                false
            }
            _ => panic!("nobody should be told this: {answer}"),
        }
    }

    /// Waits until so many have been given a place.
    pub(crate) async fn has_admitted(&self, places: usize) {
        eventually_within(QUIET_WITHIN, "places are given", async || self.admitted.borrow().len() >= places).await;
    }

    /// How long it took after a moment until somebody who asked then was given a place, if anybody was; and how many were told to come back until then.
    pub(crate) fn reopened_after(&self, moment: Instant) -> Option<(Duration, usize)> {
        let next = self.admitted.borrow().iter().map(|admission| admission.asked_at).filter(|at| *at > moment).min()?;
        let told = self.told_to_come_back.borrow().iter().filter(|at| (moment..next).contains(at)).count();
        Some((next.duration_since(moment), told))
    }

    /// Everybody who was given a place was told in the end whether it was a coupon; nobody has one twice, and there are not more than there are.
    pub(crate) async fn was_fair(&self) {
        self.sell_out().await;
        let mut client = Client::to(self.doors.any(&mut Chance::of(1)));
        let mut issued = BTreeSet::new();
        for Admission { user, task, .. } in self.admitted.take() {
            let path = format!("/api/coupons/publish/status/{task}");
            let mut outcome = serde_json::Value::Null;
            eventually_within(QUIET_WITHIN, "it is decided", async || {
                outcome = client.send("GET", &path, &[("accept", "application/json")], b"").await.ok();
                outcome["status"] != "PENDING"
            })
            .await;
            if outcome["status"] == "SUCCESS" {
                issued.insert((user, outcome["position"].as_i64().expect("a place")));
            }
        }
        let (mut held, mut places) = (0, BTreeSet::new());
        for user in &self.racers {
            let coupons = client.read(&format!("/api/coupons/{user}")).await["couponResponseList"].take();
            let mut once = BTreeSet::new();
            for coupon in coupons.as_array().expect("a list") {
                let (id, place) = (coupon["couponId"].as_i64().expect("an id"), coupon["position"].as_i64().expect("a place"));
                assert!(once.insert(id), "user {user} has coupon {id} twice");
                assert!(places.insert((id, place)), "place {place} of coupon {id} was given twice");
                issued.remove(&(*user, place));
                held += 1;
            }
        }
        assert!(issued.is_empty(), "they were told of coupons that they do not have: {issued:?}");
        assert_eq!(held, self.coupons.len() * STOCK, "as many are issued as there are");
    }

    /// Asks on until nothing is left: a place that was given twice goes to whoever asks next.
    async fn sell_out(&self) {
        let mut client = Client::to(self.doors.any(&mut Chance::of(1)));
        eventually_within(QUIET_WITHIN, "everything is gone", async || {
            let mut left = false;
            for coupon in &self.coupons {
                left |= remaining(&mut client, *coupon).await > 0;
            }
            if left {
                self.run().await;
            }
            !left
        })
        .await;
    }
}

async fn remaining(client: &mut Client, coupon: i64) -> i64 {
    let mut cursor = String::new();
    loop {
        let page = client.read(&format!("/api/coupons?limit=100{cursor}")).await;
        let found = page["items"].as_array().expect("a list").iter().find(|it| it["couponId"] == coupon);
        if let Some(found) = found {
            return found["remaining"].as_i64().expect("a number");
        }
        cursor = format!("&cursor={}", page["nextCursor"].as_str().expect("the coupon is listed"));
    }
}

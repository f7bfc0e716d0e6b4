//! The buyers: each has a connection and a customer of its own, and buys without a pause.

use super::knobs::{Knobs, Settling};
use super::results::{Results, Step};
use super::wares::Ware;
use crate::harness::http::{Connection, Request};
use futures_util::future::join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

const CUSTOMERS: u64 = 2_000;
const POLLS_MAX: u32 = 1_000;
const POLL_PAUSE_MS_MAX: u32 = 20;
/// A buyer that only ever fails stops: it would measure nothing.
const FAILURES_IN_A_ROW_MAX: u32 = 20;

/// What the buyers read of an answer.
#[derive(Deserialize)]
struct Envelope<'a, T> {
    #[serde(borrow)]
    meta: Meta<'a>,
    data: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    error_code: &'a str,
}

#[derive(Deserialize)]
struct OrderData {
    id: i64,
    status: OrderStatus,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrderStatus {
    Pending,
    AwaitingPayment,
    Completed,
    #[serde(other)]
    Ended,
}

#[derive(Deserialize)]
struct Ignored {}

struct Buyer {
    user: u64,
    connection: Connection,
    headers: String,
    ordering_headers: String,
    path: String,
    body: String,
    results: Rc<RefCell<Results>>,
}

/// A purchase that did not come off; why is in the results already.
struct Failed;

/// Lets so many buyers buy for as long as the knobs say, each at one of the servers.
pub(super) async fn buy(servers: &[SocketAddr], buyers: u64, knobs: &Knobs, headers: &str, wares: &[Ware]) -> Results {
    let begin = Instant::now() + knobs.warm_up;
    let end = begin + knobs.lasting;
    let results = Rc::new(RefCell::new(Results::between(begin, end)));
    let buyers = (0..buyers).zip(servers.iter().cycle()).map(|(number, server)| Buyer {
        user: number % CUSTOMERS + 1,
        connection: Connection::to(*server),
        headers: headers.to_owned(),
        ordering_headers: if knobs.settling == Settling::Wait { format!("{headers}prefer: wait=30\r\n") } else { headers.to_owned() },
        path: String::new(),
        body: String::new(),
        results: Rc::clone(&results),
    });
    join_all(buyers.zip(0..).map(|(buyer, number)| buyer.buy_until(end, wares, number))).await;
    Rc::into_inner(results).expect("the buyers are gone").into_inner()
}

impl Buyer {
    async fn buy_until(mut self, end: Instant, wares: &[Ware], first: usize) {
        let mut failures_in_a_row = 0;
        let mut number = first;
        while Instant::now() < end && failures_in_a_row < FAILURES_IN_A_ROW_MAX {
            let begin = Instant::now();
            if self.purchase(wares[number % wares.len()]).await.is_ok() {
                self.results.borrow_mut().bought(begin);
                failures_in_a_row = 0;
            } else {
                failures_in_a_row += 1;
            }
            number += 1;
        }
    }

    async fn purchase(&mut self, Ware { option, price }: Ware) -> Result<(), Failed> {
        let user = self.user;
        self.request(format_args!("/api/users/{user}/points"), format_args!(r#"{{"chargePoint":{}}}"#, (2 * price).max(1_000)));
        self.send::<Ignored>(Step::Charge).await?;

        let line = format_args!(r#"{{"productOptionId":{option},"quantity":1}}"#);
        self.request(format_args!("/api/orders"), format_args!(r#"{{"userId":{user},"orderProductRequests":[{line}]}}"#));
        let mut order: OrderData = self.send(Step::Order).await?;
        let id = order.id;
        for poll in 0..POLLS_MAX {
            if order.status != OrderStatus::Pending {
                break;
            }
            if poll > 0 {
                tokio::time::sleep(Duration::from_millis((2 * poll).min(POLL_PAUSE_MS_MAX).into())).await;
            }
            self.request(format_args!("/api/orders/{id}"), format_args!(""));
            order = self.send(Step::Poll).await?;
        }
        self.expect(order.status == OrderStatus::AwaitingPayment, "an order that cannot be paid")?;

        self.request(format_args!("/api/payments"), format_args!(r#"{{"orderId":{id},"userId":{user},"type":"POINT"}}"#));
        self.send::<Ignored>(Step::Pay).await?;

        self.request(format_args!("/api/orders/{id}"), format_args!(""));
        let order: OrderData = self.send(Step::Read).await?;
        self.expect(order.status == OrderStatus::Completed, "a paid order that is not completed")
    }

    fn request(&mut self, path: std::fmt::Arguments<'_>, body: std::fmt::Arguments<'_>) {
        self.path.clear();
        self.body.clear();
        let written = self.path.write_fmt(path).and_then(|()| self.body.write_fmt(body));
        written.expect("a string takes all");
    }

    fn expect(&self, holds: bool, otherwise: &str) -> Result<(), Failed> {
        if !holds {
            self.results.borrow_mut().failed(otherwise);
        }
        if holds { Ok(()) } else { Err(Failed) }
    }

    async fn send<T: DeserializeOwned>(&mut self, step: Step) -> Result<T, Failed> {
        let method = if self.body.is_empty() { "GET" } else { "POST" };
        let headers = if step == Step::Order { &self.ordering_headers } else { &self.headers };
        let begin = Instant::now();
        let answer = self.connection.send(Request { method, path: &self.path, headers, body: self.body.as_bytes() }).await;
        let mut results = self.results.borrow_mut();
        results.answered(step, begin);
        let response = answer.map_err(|error| {
            results.failed(&format!("{} {}", step.name(), error.kind()));
            Failed
        })?;
        match serde_json::from_slice(&response.body) {
            Ok(Envelope { data: Some(data), .. }) if matches!(response.head.status, 200 | 202) => Ok(data),
            Ok(Envelope { meta, .. }) => {
                results.failed(&format!("{} {} {}", step.name(), response.head.status, meta.error_code));
                Err(Failed)
            }
            Err(error) => {
                results.failed(&format!("{} {} {error}", step.name(), response.head.status));
                Err(Failed)
            }
        }
    }
}

//! The customers: they share the connections, and each asks as soon as one is free.

use crate::harness::http::{Connection, Request};
use crate::measure::latencies::Latencies;
use futures_util::future::join_all;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A connection that only ever fails stops: it would measure nothing.
const FAILURES_MAX: u32 = 20;

/// How a rush went.
pub(super) struct Rush {
    pub(super) latencies: Latencies,
    pub(super) lasting: Duration,
    /// How often which answer was given: a status, and the code of a refusal.
    pub(super) answers: BTreeMap<String, u64>,
}

/// What is sent; `customer` counts from 0.
pub(super) trait Ask {
    fn request<'a>(&'a self, customer: u64, body: &'a mut String) -> Request<'a>;
}

/// Asks for a coupon.
pub(super) struct Publish {
    pub(super) coupon: i64,
    pub(super) first_customer: i64,
    pub(super) headers: String,
}

impl Ask for Publish {
    fn request<'a>(&'a self, customer: u64, body: &'a mut String) -> Request<'a> {
        let user = self.first_customer + i64::try_from(customer).unwrap_or(i64::MAX);
        write!(body, r#"{{"userId":{user},"couponId":{}}}"#, self.coupon).expect("a string takes all");
        Request { method: "POST", path: "/api/coupons/publish", headers: &self.headers, body: body.as_bytes() }
    }
}

/// Asks for nothing that has to be decided.
pub(super) struct Nothing;

impl Ask for Nothing {
    fn request<'a>(&'a self, _: u64, _: &'a mut String) -> Request<'a> {
        Request { method: "GET", path: "/healthz", headers: "", body: b"" }
    }
}

/// Lets every customer ask once, each connection at one of the servers.
pub(super) async fn race(servers: &[SocketAddr], connections: u64, customers: u64, ask: &impl Ask) -> Rush {
    let (next, begin) = (Cell::new(0), Instant::now());
    let rush = RefCell::new(Rush { latencies: Latencies::new(), lasting: Duration::ZERO, answers: BTreeMap::new() });
    let racer = async |server: SocketAddr| {
        let (mut connection, mut body, mut failures) = (Connection::to(server), String::new(), 0);
        while next.get() < customers && failures < FAILURES_MAX {
            let customer = next.replace(next.get() + 1);
            body.clear();
            let asked = Instant::now();
            let answer = connection.send(ask.request(customer, &mut body)).await;
            let latency = asked.elapsed();
            let answer = match &answer {
                Ok(response) if response.head.status < 300 => response.head.status.to_string(),
                Ok(response) => format!("{} {}", response.head.status, code(&response.body)),
                Err(error) => {
                    failures += 1;
                    error.kind().to_string()
                }
            };
            let mut rush = rush.borrow_mut();
            rush.latencies.record(latency);
            *rush.answers.entry(answer).or_default() += 1;
        }
    };
    join_all((0..connections).zip(servers.iter().cycle()).map(|(_, server)| racer(*server))).await;
    let mut rush = rush.into_inner();
    rush.lasting = begin.elapsed();
    rush
}

/// The code of a refusal: reading the whole answer would cost the client more than the server.
fn code(body: &[u8]) -> &str {
    let body = std::str::from_utf8(body).unwrap_or_default();
    body.split_once(r#""errorCode":""#).and_then(|(_, rest)| rest.split_once('"')).map_or("?", |(code, _)| code)
}

//! The rush, from an empty shop to the last audit.

use super::customers::register;
use super::knobs::Knobs;
use super::racers::{Nothing, Publish, Rush, race};
use crate::figures::{Book, Figure, Limit};
use crate::harness::http::Request;
use crate::measure::latencies::Latencies;
use crate::measure::server::{Shop, administrator_headers, data, read};
use crate::measure::set_up::SetUp;
use crate::measure::{keep, machine, right_unless};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const ISSUED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Measures a rush as the knobs say, on every set-up; answers everything that was wrong.
pub(crate) async fn run(knobs: &Knobs) -> Vec<String> {
    println!("{knobs}");
    let (mut faults, mut book) = (Vec::new(), Book::new("coupon_rush"));
    book.conditions.push(knobs.to_string());
    for set_up in &knobs.set_ups {
        println!();
        println!("on     {}", set_up.name());
        let (figure, wrong) = measure(*set_up, knobs).await;
        book.figures.push(figure);
        faults.extend(wrong);
    }
    faults.extend(keep(&book));
    faults
}

async fn measure(set_up: SetUp, knobs: &Knobs) -> (Figure, Vec<String>) {
    let place = set_up.place().await;
    Shop::fill(&place, knobs.server).await;
    let begin = Instant::now();
    let first_customer = register(&place, knobs.customers()).await.expect("the customers are registered");
    println!("fill   {} ms for the customers", begin.elapsed().as_millis());

    let shop = Shop::start(&place, knobs.server, &[]).await;
    let headers = administrator_headers(shop.address(), knobs.server).await;
    let limit = race(&shop.addresses(), knobs.connections, knobs.customers() / 4, &Nothing).await;
    let coupon = offer(shop.address(), &headers, knobs.stock).await;
    let cpu_time = || [shop.cpu_time(), machine::cpu_time(std::process::id())];
    let (idle_kib, cpu_before) = (shop.resident_kib(), cpu_time());
    let rush = race(&shop.addresses(), knobs.connections, knobs.customers(), &Publish { coupon, first_customer, headers }).await;
    let asked = Instant::now();
    let issued = issued(shop.address(), coupon, knobs.stock).await;
    let (settling, cpu_after) = (asked.elapsed(), cpu_time());

    Latencies::print_header();
    limit.latencies.print_row("nothing", limit.lasting);
    rush.latencies.print_row("requests", rush.lasting);
    println!();
    for (answer, times) in &rush.answers {
        println!("{times:>8}  {answer}");
    }
    println!();
    let rate = rush.latencies.per_second(rush.lasting);
    #[cfg_attr(not(feature = "distributed"), expect(unused_mut, reason = "a gate in Redis has another limit"))]
    let mut most = Limit { name: "requests with nothing to decide".to_owned(), per_second: limit.latencies.per_second(limit.lasting) };
    println!("ratio  {:.2} of what the same servers and client do when there is nothing to decide", rate / most.per_second);
    #[cfg(feature = "distributed")]
    if set_up != SetUp::OneFile {
        match super::redis_benchmark::decisions_per_second(place.premises().name(), knobs.connections, knobs.stock).await {
            Ok(per_second) => {
                println!(
                    "ratio  {:.2} of redis-benchmark, which has a script decide the same {per_second:.0} times a second",
                    rate / per_second
                );
                most = Limit { name: "a script by redis-benchmark".to_owned(), per_second };
            }
            Err(why) => println!("ratio  to redis-benchmark not known: {why}"),
        }
    }
    let requests = u32::try_from(knobs.customers()).unwrap_or(u32::MAX);
    let [of_shop, of_client] = [0, 1].map(|it| (cpu_after[it].saturating_sub(cpu_before[it]) / requests).as_micros());
    println!("cpu    {of_shop} µs of the shop's processes and {of_client} µs of this client a request");
    let mib = |kib: u64| kib / 1_024;
    println!("memory {} MiB before, {} MiB at the peak", mib(idle_kib), mib(shop.peak_kib()));
    println!("issued {issued} of {}, the last one {} ms after the last answer", knobs.stock, settling.as_millis());

    let mut faults = faults(knobs, &rush, issued);
    faults.extend(shop.close().await);
    let figure = Figure {
        set_up: set_up.name().to_owned(),
        path: "requests for a coupon".to_owned(),
        contenders: knobs.connections,
        keys: 1,
        per_second: rate,
        wait_us: rush.latencies.quantiles_us(),
        limit: Some(most),
        wasted: Vec::new(),
        verdict: right_unless(&faults),
    };
    (figure, faults)
}

fn faults(knobs: &Knobs, rush: &Rush, issued: u64) -> Vec<String> {
    let mut faults = Vec::new();
    let admitted = rush.answers.get("202").copied().unwrap_or_default();
    if admitted != knobs.stock || issued != knobs.stock {
        faults.push(format!("of {} coupons {admitted} were promised and {issued} issued", knobs.stock));
    }
    let expected = ["202", "400 OUT_OF_STOCK_COUPON"];
    let others = rush.answers.iter().filter(|(answer, _)| !expected.contains(&answer.as_str()));
    faults.extend(others.map(|(answer, times)| format!("{times} times: {answer}")));
    faults
}

/// Offers the coupon; answers its id.
async fn offer(address: SocketAddr, headers: &str, stock: u64) -> i64 {
    let body = json!({
        "name": "First come", "couponType": "PERCENT", "discountValue": 50, "initialStock": stock, "expireAt": "9999-12-31T00:00:00Z",
    });
    let (path, body) = ("/api/coupons", body.to_string());
    let coupon = data(address, Request { method: "POST", path, headers, body: body.as_bytes() }).await;
    coupon["couponId"].as_i64().expect("an id")
}

/// Waits until all are issued; answers how many are.
async fn issued(address: SocketAddr, coupon: i64, stock: u64) -> u64 {
    let deadline = Instant::now() + ISSUED_WITHIN;
    loop {
        let coupons = read(address, "/api/coupons?limit=100").await["items"].take();
        let coupon = coupons.as_array().into_iter().flatten().find(|it| it["couponId"] == coupon).expect("the coupon is listed");
        let issued = stock - coupon["remaining"].as_u64().expect("a number");
        if issued >= stock || Instant::now() >= deadline {
            return issued;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

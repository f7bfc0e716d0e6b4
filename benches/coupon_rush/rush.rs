//! The rush, from an empty directory to the last audit.

use super::knobs::Knobs;
use super::racers::{Nothing, Publish, Rush, race};
use crate::harness::http::Request;
use crate::harness::process::scratch_directory;
use crate::measure::latencies::Latencies;
use crate::measure::{machine, server};
use commerce_adapters::embedded::EmbeddedParts;
use commerce_adapters::sqlite::SqliteOptions;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Commerce, Settings};
use futures_util::future::try_join_all;
use rustix::process::Signal;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

const ISSUED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many customers are registered at once.
const REGISTERED_AT_ONCE: u64 = 5_000;

/// Measures a rush as the knobs say; answers everything that was wrong.
pub(crate) async fn run(knobs: Knobs) -> Vec<String> {
    let directory = scratch_directory();
    let directory = directory.path();
    println!("{knobs}");
    // The demo brings an administrator.
    let shop = server::start(directory, knobs.server, &["--demo"]).await;
    shop.signal(Signal::TERM);
    shop.ended().await;
    let begin = Instant::now();
    let first_customer = register(directory, knobs.customers()).await.expect("the customers are registered");
    println!("fill   {} ms for the customers", begin.elapsed().as_millis());

    let shop = server::start(directory, knobs.server, &[]).await;
    let headers = server::administrator_headers(shop.address, knobs.server).await;
    let limit = race(shop.address, knobs.connections, knobs.customers() / 4, &Nothing).await;
    let coupon = offer(shop.address, &headers, knobs.stock).await;
    let cpu_time = || [shop.process.id(), std::process::id()].map(machine::cpu_time);
    let (idle_kib, cpu_before) = (machine::resident_kib(shop.process.id()), cpu_time());
    let rush = race(shop.address, knobs.connections, knobs.customers(), &Publish { coupon, first_customer, headers }).await;
    let asked = Instant::now();
    let issued = issued(shop.address, coupon, knobs.stock).await;
    let (settling, cpu_after) = (asked.elapsed(), cpu_time());

    Latencies::print_header();
    limit.latencies.print_row("nothing", limit.lasting);
    rush.latencies.print_row("requests", rush.lasting);
    println!();
    for (answer, times) in &rush.answers {
        println!("{times:>8}  {answer}");
    }
    println!();
    let (rate, most) = (rush.latencies.per_second(rush.lasting), limit.latencies.per_second(limit.lasting));
    println!("ratio  {:.2} of what the same server and client do when there is nothing to decide", rate / most);
    let requests = u32::try_from(knobs.customers()).unwrap_or(u32::MAX);
    let [of_server, of_client] = [0, 1].map(|it| (cpu_after[it].saturating_sub(cpu_before[it]) / requests).as_micros());
    println!("cpu    {of_server} µs of the server and {of_client} µs of this client a request");
    let mib = |kib: u64| kib / 1_024;
    println!("memory {} MiB before, {} MiB at the peak", mib(idle_kib), mib(machine::peak_kib(shop.process.id())));
    println!("issued {issued} of {}, the last one {} ms after the last answer", knobs.stock, settling.as_millis());

    let mut faults = faults(&knobs, &rush, issued);
    faults.extend(server::audit(directory, "beside the server").await);
    faults.extend(server::stop(shop).await);
    faults.extend(server::audit(directory, "after it").await);
    faults
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

/// Registers customers through the library, far faster than their passwords could be hashed; answers the id of the first. Their ids are adjacent.
async fn register(directory: &Path, customers: u64) -> anyhow::Result<i64> {
    let parts = EmbeddedParts::open_alone(SqliteOptions::new(directory.join("commerce.db"))).await?;
    let shop = Commerce::open(parts.parts().clone(), Settings::default());
    let mut ids = Vec::new();
    for first in (0..customers).step_by(usize::try_from(REGISTERED_AT_ONCE)?) {
        let one = async |number: u64| {
            let (name, email) = (UserName::parse("Racer")?, Email::parse(&format!("racer{number}@shop.example"))?);
            let user = shop.register_hashed(name, email, PasswordHash::new("none: nobody logs in".to_owned()), Role::Customer).await?;
            anyhow::Ok(user.id.get())
        };
        ids.extend(try_join_all((first..customers.min(first + REGISTERED_AT_ONCE)).map(one)).await?);
    }
    shop.shutdown().await;
    parts.close().await?;
    ids.sort_unstable();
    anyhow::ensure!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "the ids of the customers are not adjacent");
    ids.first().copied().ok_or_else(|| anyhow::anyhow!("there are no customers"))
}

/// Offers the coupon; answers its id.
async fn offer(address: SocketAddr, headers: &str, stock: u64) -> i64 {
    let body = json!({
        "name": "First come", "couponType": "PERCENT", "discountValue": 50, "initialStock": stock, "expireAt": "9999-12-31T00:00:00Z",
    });
    let (path, body) = ("/api/coupons", body.to_string());
    let coupon = server::data(address, Request { method: "POST", path, headers, body: body.as_bytes() }).await;
    coupon["couponId"].as_i64().expect("an id")
}

/// Waits until all are issued; answers how many are.
async fn issued(address: SocketAddr, coupon: i64, stock: u64) -> u64 {
    let deadline = Instant::now() + ISSUED_WITHIN;
    loop {
        let coupons = server::read(address, "/api/coupons?limit=100").await["items"].take();
        let coupon = coupons.as_array().into_iter().flatten().find(|it| it["couponId"] == coupon).expect("the coupon is listed");
        let issued = stock - coupon["remaining"].as_u64().expect("a number");
        if issued >= stock || Instant::now() >= deadline {
            return issued;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

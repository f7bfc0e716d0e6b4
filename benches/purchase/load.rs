//! The load of the purchase benchmark.

use super::knobs::{Goods, Knobs};
use super::results::Results;
use super::{disk, driver, wares};
use crate::figures::{Book, Figure, Limit, Quantiles};
use crate::measure::server::{Shop, administrator_headers};
use crate::measure::set_up::SetUp;
use crate::measure::{keep, machine, right_unless};
use crate::place::Place;
use std::time::Duration;

/// What gives each command a transaction of its own.
const SINGLE: [&str; 2] = ["--commands-per-transaction", "1"];
/// As many of them at once as the connections of a process allow beside its reads.
const SINGLE_AT_ONCE: [&str; 2] = [AT_ONCE, "8"];
const AT_ONCE: &str = "--transactions-at-once";

/// One round of buyers, as it is kept.
struct Round {
    buyers: u64,
    per_second: f64,
    wait_us: Quantiles,
}

/// Measures purchases as the knobs say, on every set-up; answers everything that was wrong.
pub(crate) async fn run(knobs: &Knobs) -> Vec<String> {
    println!("{knobs}");
    let (mut faults, mut book) = (Vec::new(), Book::new("purchase"));
    book.conditions.push(knobs.to_string());
    for set_up in &knobs.set_ups {
        println!();
        println!("on     {}", set_up.name());
        faults.extend(measure(*set_up, knobs, &mut book).await);
    }
    faults.extend(keep(&book));
    faults
}

async fn measure(set_up: SetUp, knobs: &Knobs, book: &mut Book) -> Vec<String> {
    let place = set_up.place().await;
    let syncs = disk::syncs_per_second(place.directory(), knobs.syncing());
    println!("disk   {syncs:.0} fsyncs/s of a 4 KiB append, one after the other");
    let filling = Shop::fill(&place, knobs.server).await;
    println!("fill   {} ms with the demo shop, and the start", filling.as_millis());

    let at_once = knobs.at_once.filter(|_| !place.is_a_file()).map(|at_once| at_once.to_string());
    let options: Vec<_> = at_once.iter().flat_map(|at_once| [AT_ONCE, at_once]).collect();
    let single: Vec<_> = SINGLE.into_iter().chain(SINGLE_AT_ONCE.into_iter().filter(|_| !place.is_a_file())).collect();
    let mut faults = Vec::new();
    let mut measured = Vec::new();
    for (path, options) in [("group commit", options), ("a transaction each", single)] {
        println!();
        println!("with   {path}");
        let (rounds, wrong) = rounds(&place, knobs, &options).await;
        let keys = if knobs.goods == Goods::OneHotOption { 1 } else { rounds.wares };
        for Round { buyers, per_second, wait_us } in &rounds.rounds {
            book.figures.push(Figure {
                set_up: set_up.name().to_owned(),
                path: path.to_owned(),
                contenders: *buyers,
                keys,
                per_second: *per_second,
                wait_us: *wait_us,
                limit: Some(Limit { name: "fsyncs of the disk".to_owned(), per_second: syncs }),
                wasted: Vec::new(),
                verdict: right_unless(&wrong),
            });
        }
        measured.push(rounds.rounds);
        faults.extend(wrong);
    }
    println!();
    if let [grouped, singly] = measured.as_slice() {
        for (Round { buyers, per_second, .. }, single) in grouped.iter().zip(singly) {
            let (of_disk, of_single) = (per_second / syncs, per_second / single.per_second);
            println!(
                "ratio  {of_single:.1} times what a transaction for every command does, {of_disk:.2} purchases per fsync, with {buyers} buyers"
            );
        }
    }
    faults
}

/// What was measured of a shop, one round after the other.
struct Rounds {
    rounds: Vec<Round>,
    wares: u64,
}

/// Lets buyers buy, as many as the knobs say in one round after the other, of a shop with these options; answers everything that was wrong, too.
async fn rounds(place: &Place, knobs: &Knobs, options: &[&str]) -> (Rounds, Vec<String>) {
    let shop = Shop::start(place, knobs.server, options).await;
    let headers = administrator_headers(shop.address(), knobs.server).await;
    let wares = wares::wares(shop.address(), knobs.goods == Goods::OneHotOption).await;
    let (before, idle_kib) = (wares::stock(shop.address()).await, shop.resident_kib());
    let (mut rounds, mut sold, mut faults) = (Vec::new(), 0, Vec::new());
    for &buyers in &knobs.buyers {
        let cpu_time = || [shop.cpu_time(), machine::cpu_time(std::process::id())];
        let cpu_before = cpu_time();
        let results = driver::buy(&shop.addresses(), buyers, knobs, &headers, &wares).await;
        println!();
        println!("buyers {buyers}");
        show(&results, cpu_before, cpu_time());
        sold += results.purchases_in_all();
        faults.extend(results.faults());
        rounds.push(Round { buyers, per_second: results.purchases_per_second(), wait_us: results.quantiles_us() });
    }
    println!();
    let mib = |kib: u64| kib / 1_024;
    println!("memory {} MiB idle, {} MiB at the peak", mib(idle_kib), mib(shop.peak_kib()));
    let gone = before - wares::stock(shop.address()).await;
    println!("stock  {gone} taken, {sold} sold");
    if u64::try_from(gone).ok() != Some(sold) {
        faults.push(format!("{gone} units were taken from the stock but {sold} were sold"));
    }
    faults.extend(shop.close().await);
    (Rounds { rounds, wares: wares.len() as u64 }, faults)
}

fn show(results: &Results, before: [Duration; 2], after: [Duration; 2]) {
    results.print();
    let made = u32::try_from(results.purchases_in_all()).unwrap_or(u32::MAX).max(1);
    let [of_shop, of_client] = [0, 1].map(|it| (after[it].saturating_sub(before[it]) / made).as_micros());
    println!("cpu    {of_shop} µs of the shop's processes and {of_client} µs of this client a purchase");
}

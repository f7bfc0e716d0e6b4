//! The load of the purchase benchmark.

use super::figures::Figures;
use super::knobs::{Goods, Knobs};
use super::{disk, driver, wares};
use crate::measure::machine;
use crate::measure::server::{Shop, administrator_headers};
use crate::measure::set_up::SetUp;
use crate::place::Place;

/// What gives each command a transaction of its own.
const SINGLE: [&str; 2] = ["--commands-per-transaction", "1"];
/// As many of them at once as the connections of a process allow beside its reads.
const SINGLE_AT_ONCE: [&str; 2] = [AT_ONCE, "8"];
const AT_ONCE: &str = "--transactions-at-once";

/// Measures purchases as the knobs say, on every set-up; answers everything that was wrong.
pub(crate) async fn run(knobs: &Knobs) -> Vec<String> {
    println!("{knobs}");
    let mut faults = Vec::new();
    for set_up in &knobs.set_ups {
        println!();
        println!("on     {}", set_up.name());
        faults.extend(measure(*set_up, knobs).await);
    }
    faults
}

async fn measure(set_up: SetUp, knobs: &Knobs) -> Vec<String> {
    let place = set_up.place().await;
    let syncs = disk::syncs_per_second(place.directory(), knobs.syncing());
    println!("disk   {syncs:.0} fsyncs/s of a 4 KiB append, one after the other");
    let filling = Shop::fill(&place, knobs.server).await;
    println!("fill   {} ms with the demo shop, and the start", filling.as_millis());

    let mut faults = Vec::new();
    let at_once = knobs.at_once.filter(|_| !place.is_a_file()).map(|at_once| at_once.to_string());
    let options: Vec<_> = at_once.iter().flat_map(|at_once| [AT_ONCE, at_once]).collect();
    let grouped = rounds(&place, knobs, &knobs.buyers, &options, &mut faults).await;
    let single: Vec<_> = SINGLE.into_iter().chain(SINGLE_AT_ONCE.into_iter().filter(|_| !place.is_a_file())).collect();
    println!();
    println!("with a transaction for every command");
    let singly = rounds(&place, knobs, &knobs.buyers, &single, &mut faults).await;

    println!();
    for (buyers, rate) in &grouped {
        println!("ratio  {:.2} purchases per fsync of this disk with {buyers} buyers", rate / syncs);
    }
    for ((buyers, grouped), (_, singly)) in grouped.iter().zip(&singly) {
        println!("ratio  {:.1} times what a transaction for every command does, with {buyers} buyers", grouped / singly);
    }
    faults
}

/// Lets so many buyers buy, one round after the other, of a shop with these options; answers for each how many purchases were made a second.
async fn rounds(place: &Place, knobs: &Knobs, buyers: &[u64], options: &[&str], faults: &mut Vec<String>) -> Vec<(u64, f64)> {
    let shop = Shop::start(place, knobs.server, options).await;
    let headers = administrator_headers(shop.address(), knobs.server).await;
    let wares = wares::wares(shop.address(), knobs.goods == Goods::OneHotOption).await;
    let (before, idle_kib) = (wares::stock(shop.address()).await, shop.resident_kib());
    let (mut rates, mut sold) = (Vec::new(), 0);
    for buyers in buyers {
        let cpu_time = || [shop.cpu_time(), machine::cpu_time(std::process::id())];
        let cpu_before = cpu_time();
        let figures = driver::buy(&shop.addresses(), *buyers, knobs, &headers, &wares).await;
        println!();
        println!("buyers {buyers}");
        show(&figures, cpu_before, cpu_time());
        sold += figures.purchases_in_all();
        faults.extend(figures.faults());
        rates.push((*buyers, figures.purchases_per_second()));
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
    rates
}

fn show(figures: &Figures, before: [std::time::Duration; 2], after: [std::time::Duration; 2]) {
    figures.print();
    let made = u32::try_from(figures.purchases_in_all()).unwrap_or(u32::MAX).max(1);
    let [of_shop, of_client] = [0, 1].map(|it| (after[it].saturating_sub(before[it]) / made).as_micros());
    println!("cpu    {of_shop} µs of the shop's processes and {of_client} µs of this client a purchase");
}

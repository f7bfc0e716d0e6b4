//! The load of the purchase benchmark.

use super::knobs::Knobs;
use super::{disk, driver, shop};
use crate::harness::process::scratch_directory;
use crate::measure::{machine, server};
use rustix::process::Signal;
use std::time::Instant;

/// Measures purchases as the knobs say; answers everything that was wrong.
pub(crate) async fn run(knobs: Knobs) -> Vec<String> {
    let directory = scratch_directory();
    let directory = directory.path();
    println!("{knobs}");
    let syncs = disk::syncs_per_second(directory, knobs.syncing());
    println!("disk   {syncs:.0} fsyncs/s of a 4 KiB append, one after the other");

    let begin = Instant::now();
    let server = server::start(directory, knobs.server, &["--demo"]).await;
    let filling = begin.elapsed();
    server.signal(Signal::TERM);
    server.ended().await;
    let begin = Instant::now();
    let server = server::start(directory, knobs.server, &["--demo"]).await;
    let starting = begin.elapsed();
    println!("start  {} ms; {} ms with filling the demo shop", starting.as_millis(), filling.as_millis());

    let mut faults = Vec::new();
    let headers = server::administrator_headers(server.address, knobs.server).await;
    let before = shop::stock(server.address).await;
    let idle_kib = machine::resident_kib(server.process.id());
    let cpu_time = || [server.process.id(), std::process::id()].map(machine::cpu_time);
    let cpu_before = cpu_time();
    let wares = shop::wares(server.address, &knobs).await;
    let figures = driver::buy(server.address, &knobs, headers, wares).await;
    let cpu_after = cpu_time();

    figures.print();
    let rate = figures.purchases_per_second();
    println!("ratio  {:.2} purchases per fsync of this disk", rate / syncs);
    let made = u32::try_from(figures.purchases_in_all()).unwrap_or(u32::MAX).max(1);
    let [of_server, of_client] = [0, 1].map(|it| (cpu_after[it].saturating_sub(cpu_before[it]) / made).as_micros());
    println!("cpu    {of_server} µs of the server and {of_client} µs of this client a purchase");
    let mib = |kib: u64| kib / 1_024;
    println!("memory {} MiB idle, {} MiB at the peak", mib(idle_kib), mib(machine::peak_kib(server.process.id())));
    faults.extend(figures.faults());

    let gone = before - shop::stock(server.address).await;
    let sold = figures.purchases_in_all();
    println!("stock  {gone} taken, {sold} sold");
    if u64::try_from(gone).ok() != Some(sold) {
        faults.push(format!("{gone} units were taken from the stock but {sold} were sold"));
    }
    faults.extend(server::audit(directory, "beside the server").await);
    faults.extend(server::stop(server).await);
    faults.extend(server::audit(directory, "after it").await);
    faults
}

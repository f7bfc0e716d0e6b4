//! The real shop that is measured, and what is asked of it before and after the load.

use super::knob::ServerKnobs;
use super::machine;
use crate::harness::http::{Connection, Request};
use crate::harness::process::{NotStarted, Process, Server};
use crate::place::{ADMIN, Place};
use crate::staff;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The processes of a shop: on one file a server that does everything, on MySQL, Redis and Kafka two servers and a consumer.
pub(crate) struct Shop<'a> {
    place: &'a Place,
    servers: Vec<Server>,
    consumer: Option<Process>,
}

impl<'a> Shop<'a> {
    /// Fills an empty place with the demo shop, which brings an administrator; answers how long that took.
    ///
    /// # Panics
    /// If it cannot be filled.
    pub(crate) async fn fill(place: &Place, knobs: ServerKnobs) -> Duration {
        let begin = Instant::now();
        let server = started(staff::api(place, "commerce-api", &[&knobs.arguments(place.is_a_file())[..], &["--demo"]].concat()).await);
        let filling = begin.elapsed();
        server.signal(Signal::TERM);
        server.ended().await;
        filling
    }

    /// Starts every process, each with these options, too.
    ///
    /// # Panics
    /// If one does not start.
    pub(crate) async fn start(place: &'a Place, knobs: ServerKnobs, more: &[&str]) -> Self {
        let arguments = [&knobs.arguments(place.is_a_file())[..], more].concat();
        let names: &[&str] = if place.is_a_file() { &["commerce-api"] } else { &["commerce-api-1", "commerce-api-2"] };
        let mut servers = Vec::new();
        for name in names {
            servers.push(started(staff::api(place, name, &arguments).await));
        }
        let consumer = if place.is_a_file() { None } else { Some(started(staff::consumer(place, "commerce-consumer", more).await)) };
        Self { place, servers, consumer }
    }

    /// Where the servers listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.address).collect()
    }

    /// Where one of them does.
    pub(crate) fn address(&self) -> SocketAddr {
        self.servers[0].address
    }

    fn processes(&self) -> impl Iterator<Item = u32> {
        self.servers.iter().map(|server| &server.process).chain(&self.consumer).map(Process::id)
    }

    /// The processor time that the shop's processes took so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        self.processes().map(machine::cpu_time).sum()
    }

    /// The memory that they hold now.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.processes().map(machine::resident_kib).sum()
    }

    /// The most memory that each ever held, together.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.processes().map(machine::peak_kib).sum()
    }

    /// Ends the shop as an operator would, with an audit before and after; answers what was wrong with that.
    pub(crate) async fn close(self) -> Vec<String> {
        let mut faults = Vec::from_iter(audit(self.place, "beside the shop").await);
        let ending = Instant::now();
        self.servers.iter().map(|server| &server.process).chain(&self.consumer).for_each(|process| process.signal(Signal::TERM));
        for process in self.servers.into_iter().map(|server| server.process).chain(self.consumer) {
            let status = process.ended().await;
            if !status.success() {
                faults.push(format!("a process ended with {status}"));
            }
        }
        println!("stop   {} ms", ending.elapsed().as_millis());
        faults.extend(audit(self.place, "after it").await);
        faults
    }
}

fn started<T>(outcome: Result<T, NotStarted>) -> T {
    outcome.unwrap_or_else(|failed| panic!("a process ended with {:?}: {}", failed.code, failed.messages))
}

/// The `data` of an answer.
///
/// # Panics
/// If the answer is no success.
pub(crate) async fn data(address: SocketAddr, request: Request<'_>) -> Value {
    let response = Connection::to(address).send(request).await.expect("an answer");
    let mut envelope: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(response.head.status, 200, "{} {}: {envelope}", request.method, request.path);
    envelope["data"].take()
}

/// The `data` of what is under a path.
pub(crate) async fn read(address: SocketAddr, path: &str) -> Value {
    data(address, Request { method: "GET", path, headers: "", body: b"" }).await
}

/// The headers with which every connection may act for everybody.
pub(crate) async fn administrator_headers(address: SocketAddr, knobs: ServerKnobs) -> String {
    let headers = "content-type: application/json\r\n";
    if !knobs.authenticated() {
        return headers.to_owned();
    }
    let body = json!({ "email": "admin@commerce.example", "password": "commerce-admin" }).to_string();
    let session = data(address, Request { method: "POST", path: "/api/auth/login", headers, body: body.as_bytes() }).await;
    format!("authorization: Bearer {}\r\n{headers}", session["accessToken"].as_str().expect("a token"))
}

/// Checks every invariant of the shop at a place; answers what was found.
async fn audit(place: &Place, when: &str) -> Option<String> {
    let begin = Instant::now();
    let output = place.command(ADMIN).arg("audit").output().await.expect("commerce-admin can be run");
    println!("audit  {} {when}, in {} ms", if output.status.success() { "clean" } else { "NOT CLEAN" }, begin.elapsed().as_millis());
    let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (!output.status.success()).then(|| format!("the audit {when}: {}", said()))
}

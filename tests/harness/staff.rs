//! The processes of a shop: on one file a single server, on servers two of each kind.

use crate::harness::process::{NotStarted, Process, Server};
use crate::place::{API, CONSUMER, Place, SCHEDULER};
use futures_util::future::{try_join_all, try_join3};
use rustix::process::Signal;
use std::net::SocketAddr;
use std::process::ExitStatus;

/// Of each kind, on servers.
const EACH: usize = 2;
/// Options that every program takes, with a value each.
const SHARED: [&str; 3] = ["--time-zone", "--log", "--durability"];

/// All processes of a shop.
pub(crate) struct Staff {
    /// The API servers.
    pub(crate) servers: Vec<Server>,
    /// Those who handle events.
    pub(crate) consumers: Vec<Process>,
    /// Those who do what is due by the clock.
    pub(crate) schedulers: Vec<Process>,
}

impl Staff {
    /// Starts every process of the shop at a place, its API servers with these options.
    pub(crate) async fn start(place: &Place, arguments: &[&str]) -> Result<Self, NotStarted> {
        if place.is_a_file() {
            let server = api(place, "commerce-api", arguments).await?;
            return Ok(Self { servers: vec![server], consumers: Vec::new(), schedulers: Vec::new() });
        }
        let names = |program: &str| (1..=EACH).map(move |number| format!("{program}-{number}")).collect::<Vec<_>>();
        let [servers, consumers, schedulers] = ["commerce-api", "commerce-consumer", "commerce-scheduler"].map(names);
        let shared = shared(arguments);
        let (servers, consumers, schedulers) = try_join3(
            try_join_all(servers.iter().map(|name| api(place, name, arguments))),
            try_join_all(consumers.iter().map(|name| consumer(place, name, &shared))),
            try_join_all(schedulers.iter().map(|name| scheduler(place, name, &shared))),
        )
        .await?;
        Ok(Self { servers, consumers, schedulers })
    }

    /// Where the API servers listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.address).collect()
    }

    /// Every process.
    pub(crate) fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        self.servers.iter_mut().map(|server| &mut server.process).chain(&mut self.consumers).chain(&mut self.schedulers)
    }

    /// Sends every process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.servers.iter().for_each(|server| server.signal(signal));
        self.signal_others(signal);
    }

    /// Sends every process but the API servers a signal.
    pub(crate) fn signal_others(&self, signal: Signal) {
        self.consumers.iter().chain(&self.schedulers).for_each(|process| process.signal(signal));
    }

    /// Waits for every process to end.
    pub(crate) async fn ended(self) -> Vec<ExitStatus> {
        let mut statuses = Vec::new();
        for server in self.servers {
            statuses.push(server.ended().await);
        }
        for process in self.consumers.into_iter().chain(self.schedulers) {
            statuses.push(process.ended().await);
        }
        statuses
    }
}

/// Starts an API server, which logs under a name.
pub(crate) async fn api(place: &Place, name: &str, arguments: &[&str]) -> Result<Server, NotStarted> {
    let mut command = place.command(API);
    if let Some(key) = place.token_key() {
        command.arg("--auth-secret-file").arg(key);
    }
    Server::run(command, &place.log_of(name), arguments).await
}

/// Starts a consumer, which logs under a name.
pub(crate) async fn consumer(place: &Place, name: &str, arguments: &[&str]) -> Result<Process, NotStarted> {
    let mut command = place.command(CONSUMER);
    command.args(arguments);
    Ok(Process::start(command, &place.log_of(name), "handling events for ").await?.0)
}

/// Starts a scheduler, which logs under a name.
pub(crate) async fn scheduler(place: &Place, name: &str, arguments: &[&str]) -> Result<Process, NotStarted> {
    let mut command = place.command(SCHEDULER);
    command.args(arguments);
    Ok(Process::start(command, &place.log_of(name), "doing the jobs ").await?.0)
}

/// The options that every program takes, of those an API server is given.
fn shared<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let pairs = arguments.windows(2).filter(|pair| SHARED.contains(&pair[0]));
    pairs.flatten().copied().collect()
}

//! MySQL, Redis and Kafka of the suite's own: whatever is done to them disturbs nobody, and in the end nothing is left of them.

use super::proxy::Proxy;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services");
/// They may have to be installed first.
const START_WITHIN: Duration = Duration::from_mins(10);
const RESTART_WITHIN: Duration = Duration::from_mins(2);
const END_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The ports of a set are those of the shared one and this much more.
const OFFSETS: std::ops::Range<u16> = 10_000..20_000;
const OFFSET_STEP: usize = 50;

/// One of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Mysql,
    Redis,
    Kafka,
}

impl Server {
    pub(crate) const ALL: [Self; 3] = [Self::Mysql, Self::Redis, Self::Kafka];

    const fn name(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Kafka => "kafka",
        }
    }

    /// The ports of the shared one; clients come to the first.
    const fn ports(self) -> &'static [u16] {
        match self {
            Self::Mysql => &[3306],
            Self::Redis => &[6379],
            Self::Kafka => &[9092, 9093],
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mysql => "MySQL",
            Self::Redis => "Redis",
            Self::Kafka => "Kafka",
        })
    }
}

/// The servers, each behind a piece of network of its own. They end with this process, however it ends.
pub(crate) struct Servers {
    folder: PathBuf,
    offset: u16,
    software: String,
    proxies: [Proxy; 3],
    lender: Child,
    /// The lender takes everything away when this is closed.
    held: Option<ChildStdin>,
}

impl Servers {
    /// Starts them. What is installed in the folder `software` is used; what is missing there is installed.
    pub(crate) async fn lent(software: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix("faults-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary directory").keep();
        let offset = free_offset();
        let proxy = async |server: Server| Proxy::to(address(server, offset)).await;
        let proxies = [proxy(Server::Mysql).await, proxy(Server::Redis).await, proxy(Server::Kafka).await];
        let mut command = script(&folder, offset, software, &proxies);
        // In a group of its own: a signal from the terminal must not keep it from cleaning up.
        command.args(["lend", "mysql,redis,kafka"]).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut lender = command.spawn().expect("scripts/services can be run");
        let held = lender.stdin.take();
        let mut said = BufReader::new(lender.stdout.take().expect("standard output is a pipe")).lines();
        let lent = timeout(START_WITHIN, async {
            while let Some(line) = said.next_line().await.expect("it can be read") {
                if line == "lent" {
                    return true;
                }
            }
            false
        });
        assert!(lent.await.expect("the servers start in time"), "the servers do not start");
        Self { folder, offset, software: software.to_owned(), proxies, lender, held }
    }

    /// The piece of network before a server.
    pub(crate) const fn network_of(&self, server: Server) -> &Proxy {
        &self.proxies[server as usize]
    }

    /// Where a server itself listens.
    pub(crate) fn address_of(&self, server: Server) -> SocketAddr {
        address(server, self.offset)
    }

    /// A folder for whoever uses the servers: what works in it ends with them.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends a signal to a server.
    pub(crate) fn signal(&self, server: Server, signal: Signal) {
        let id = std::fs::read_to_string(self.folder.join(server.name()).join("pid")).expect("the id of a process");
        let id = id.trim().parse().ok().and_then(Pid::from_raw).expect("the id of a process");
        kill_process(id, signal).expect("a process of ours can be signalled");
    }

    /// Kills a server, and waits until nothing of it is left.
    pub(crate) async fn kill(&self, server: Server) {
        self.signal(server, Signal::KILL);
        let gone = async {
            while TcpStream::connect(self.address_of(server)).await.is_ok() {
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(END_WITHIN, gone).await.expect("a process that was killed ends");
    }

    /// Starts a server that was killed, and waits until it answers.
    pub(crate) async fn start(&self, server: Server) {
        self.run(&["up", "--only", server.name()]).await;
    }

    /// Ends a server as an operator would, starts it again, and waits until it answers.
    pub(crate) async fn restart(&self, server: Server) {
        self.run(&["restart", server.name()]).await;
    }

    async fn run(&self, arguments: &[&str]) {
        let mut command = script(&self.folder, self.offset, &self.software, &self.proxies);
        let output = timeout(RESTART_WITHIN, command.args(arguments).stdin(Stdio::null()).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{arguments:?} takes too long")).expect("scripts/services can be run");
        assert!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Gives them back, and waits until nothing is left of them.
    pub(crate) async fn returned(mut self) {
        drop(self.held.take());
        let _ended = timeout(END_WITHIN, self.lender.wait()).await.expect("they end in time");
        assert!(!self.folder.exists(), "{} is left", self.folder.display());
    }
}

fn script(folder: &Path, offset: u16, software: &str, proxies: &[Proxy; 3]) -> Command {
    let mut command = Command::new(SCRIPT);
    command
        .env("COMMERCE_SERVICES_DIR", folder)
        .env("COMMERCE_SERVICES_SOFTWARE", software)
        .env("COMMERCE_SERVICES_PORT_OFFSET", offset.to_string())
        .env("COMMERCE_SERVICES_KAFKA_ADVERTISED", proxies[Server::Kafka as usize].address().to_string());
    command
}

fn address(server: Server, offset: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, server.ports()[0] + offset).into()
}

/// An offset at which every port is free.
fn free_offset() -> u16 {
    let ports = || Server::ALL.into_iter().flat_map(Server::ports);
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut offsets = OFFSETS.step_by(OFFSET_STEP);
    offsets.find(|offset| ports().all(|port| is_free(port + offset))).expect("free ports")
}

/// The servers are there, come back, and are gone in the end.
pub(crate) async fn they_are_lent_broken_mended_and_returned(software: &str) {
    let servers = Servers::lent(software).await;
    for server in Server::ALL {
        servers.kill(server).await;
        servers.start(server).await;
    }
    servers.restart(Server::Redis).await;
    for server in Server::ALL {
        let reached = TcpStream::connect(servers.network_of(server).address()).await;
        assert!(reached.is_ok() && TcpStream::connect(servers.address_of(server)).await.is_ok(), "{server} is there");
    }
    let addresses = Server::ALL.map(|server| servers.address_of(server));
    servers.returned().await;
    for address in addresses {
        assert!(TcpStream::connect(address).await.is_err(), "{address} is left");
    }
}

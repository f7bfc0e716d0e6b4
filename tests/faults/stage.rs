//! A shop on servers of its own, on which one fault after the other is played.

use super::customers::client::Client;
use super::customers::{Doors, eventually_within};
use super::harness::process::{Process, Server as ApiServer};
use super::place::{ADMIN, Place};
use super::premises::{Addresses, Premises};
use super::servers::{Server, Servers};
use super::staff::{self, Staff};
use futures_util::future::join_all;
use rustix::process::Signal;
use std::mem::{ManuallyDrop, take};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;
use tokio::process::Command;

/// Longer than what a crash leaves behind waits for somebody else to take it up, and then some.
pub(crate) const QUIET_WITHIN: Duration = Duration::from_mins(2);
/// More than there are consumers at first, so that there is something to share out.
const PARTITIONS: u16 = 4;
const OPTIONS: &[&str] = &["--auth", "off", "--coupon-window", "0s", "--payment-deadline", "5s"];

/// The shop, its processes and its servers.
pub(crate) struct Stage {
    /// What it has on the servers goes with them.
    place: ManuallyDrop<Place>,
    pub(crate) staff: Staff,
    pub(crate) servers: Servers,
    started: usize,
}

impl Stage {
    /// A new shop, on new servers.
    pub(crate) async fn set(software: &str) -> Self {
        let servers = Servers::lent(software).await;
        let reached_at = |address: fn(&Servers, Server) -> SocketAddr| Addresses {
            mysql: format!("mysql://root@{}", address(&servers, Server::Mysql)),
            redis: format!("redis://{}", address(&servers, Server::Redis)),
            kafka: address(&servers, Server::Kafka).to_string(),
        };
        let itself = reached_at(Servers::address_of);
        let by_its_network = reached_at(|servers, server| servers.network_of(server).address());
        let directory = tempfile::tempdir_in(servers.folder()).expect("a directory");
        let mut premises = Premises::open_in(directory, itself, PARTITIONS).await;
        premises.told = by_its_network;
        let place = ManuallyDrop::new(Place::Servers(premises));
        let staff = Staff::start(&place, OPTIONS).await.expect("the shop opens");
        Self { place, staff, servers, started: 0 }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn premises(&self) -> &Premises {
        self.place.premises()
    }

    /// Where its API servers are to be reached.
    pub(crate) fn doors(&self) -> Doors {
        Doors::at(&self.staff.addresses())
    }

    /// A client whom nobody knows.
    pub(crate) fn client(&self) -> Client {
        Client::to(self.staff.servers[0].address)
    }

    /// A name for what is started or made next.
    pub(crate) fn next_name(&mut self, what: &str) -> String {
        self.started += 1;
        format!("{what}{}", self.started)
    }

    /// Kills an API server and starts it again where it was.
    pub(crate) async fn kill_api_server(&mut self, at: usize) {
        let ApiServer { process, address } = self.staff.servers.remove(at);
        kill(process).await;
        self.open_door(address).await;
    }

    /// Kills every process at once, and starts them again.
    pub(crate) async fn kill_everybody(&mut self) {
        let Staff { servers, consumers, schedulers } = &mut self.staff;
        let (servers, consumers, schedulers) = (take(servers), take(consumers), take(schedulers));
        let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
        let (hired, on_duty) = (consumers.len(), schedulers.len());
        join_all(servers.into_iter().map(|server| server.process).chain(consumers).chain(schedulers).map(kill)).await;
        for address in addresses {
            self.open_door(address).await;
        }
        for _ in 0..hired {
            self.hire_consumer().await;
        }
        for _ in 0..on_duty {
            self.hire_scheduler().await;
        }
    }

    /// Starts an API server at an address.
    async fn open_door(&mut self, address: SocketAddr) {
        let name = self.next_name("commerce-api-again-");
        let server = staff::api(&self.place, &name, &[OPTIONS, &["--listen", &address.to_string()]].concat()).await;
        self.staff.servers.push(server.expect("an API server starts"));
    }

    /// Kills a consumer and starts another one.
    pub(crate) async fn kill_consumer(&mut self, at: usize) {
        kill(self.staff.consumers.remove(at)).await;
        self.hire_consumer().await;
    }

    /// Kills a scheduler and starts another one.
    pub(crate) async fn kill_scheduler(&mut self, at: usize) {
        kill(self.staff.schedulers.remove(at)).await;
        self.hire_scheduler().await;
    }

    async fn hire_scheduler(&mut self) {
        let name = self.next_name("commerce-scheduler-again-");
        self.staff.schedulers.push(staff::scheduler(&self.place, &name, &[]).await.expect("a scheduler starts"));
    }

    /// Starts one more consumer.
    pub(crate) async fn hire_consumer(&mut self) {
        let name = self.next_name("commerce-consumer-again-");
        self.staff.consumers.push(staff::consumer(&self.place, &name, &[]).await.expect("a consumer starts"));
    }

    /// Kills a consumer, and nobody comes in its place.
    pub(crate) async fn lose_a_consumer(&mut self) {
        kill(self.staff.consumers.remove(0)).await;
    }

    /// Lets a consumer go, as an operator would.
    pub(crate) async fn let_a_consumer_go(&mut self) {
        let consumer = self.staff.consumers.remove(0);
        consumer.signal(Signal::TERM);
        assert!(consumer.ended().await.success(), "a consumer that is told to end does so");
    }

    /// The operator's tool.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(ADMIN);
        command.args(arguments);
        command
    }

    /// Runs the operator's tool to its end.
    pub(crate) async fn operate(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.admin(arguments).output().await.expect("commerce-admin can be run");
        (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }

    /// Once everything that is on its way has arrived, every invariant holds; and every process is alive and well.
    pub(crate) async fn is_sound(&mut self) {
        eventually_within(QUIET_WITHIN, "the audit is clean", async || {
            let (code, report) = self.operate(&["audit"]).await;
            let violations: Vec<_> = report.lines().filter(|line| is_a_violation(line)).collect();
            // What may only be late: events on their way, and boards and gates that wait for them.
            let late = violations.iter().all(|line| line.starts_with("A8") || line.starts_with("A9"));
            assert!(code == Some(0) || (code == Some(1) && late), "{report}");
            code == Some(0)
        })
        .await;
        for process in self.staff.processes() {
            assert!(process.is_alive(), "a process has ended by itself");
        }
        let logs = self.place.logs();
        assert!(!logs.contains("panicked"), "{}", logs.lines().filter(|line| line.contains("panicked")).collect::<Vec<_>>().join("\n"));
    }

    /// Keeps what the processes have said, for whoever wants to know what went wrong; answers where.
    pub(crate) fn keep_logs(&self, name: &str) -> PathBuf {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-logs").join(name);
        let _old = std::fs::remove_dir_all(&kept);
        std::fs::create_dir_all(&kept).expect("a directory");
        for file in self.place.directory().read_dir().expect("a directory").filter_map(Result::ok) {
            let _copied = std::fs::copy(file.path(), kept.join(file.file_name()));
        }
        kept
    }

    /// Ends the shop as an operator would, and gives the servers back.
    pub(crate) async fn struck(self) {
        let Self { staff, servers, .. } = self;
        staff.signal(Signal::TERM);
        let ends = staff.ended().await;
        assert!(ends.iter().all(std::process::ExitStatus::success), "{ends:?}");
        servers.returned().await;
    }
}

fn is_a_violation(line: &str) -> bool {
    let mut letters = line.chars();
    letters.next() == Some('A') && letters.next().is_some_and(|digit| digit.is_ascii_digit())
}

async fn kill(process: Process) {
    process.signal(Signal::KILL);
    process.ended().await;
}

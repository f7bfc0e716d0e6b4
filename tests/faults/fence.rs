//! Holders of locks that are stopped for longer than their leases and then go on as if nothing had happened: others have taken over by then, and what
//! the late ones write is refused.

use super::customers::{Offers, eventually_within};
use super::harness::process::{Process, unconfigured};
use super::place::{ADMIN, SCHEDULER};
use super::proxy::{Proxy, Weather};
use super::scenario::play;
use super::servers::Server;
use super::stage::{QUIET_WITHIN, Stage};
use futures_util::StreamExt;
use redis::AsyncTypedCommands;
use redis::aio::MultiplexedConnection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How late everything is between a program that is to be stopped and Redis: long enough to stop it with a write under way.
const LATE_BY: Duration = Duration::from_millis(300);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const SENT_WITHIN: Duration = Duration::from_secs(3);
const A_WHILE: Duration = Duration::from_millis(150);
const STEPS: u32 = 3;
const TRIES: usize = 15;
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// The locks of a shop, as Redis keeps them.
struct Locks {
    client: redis::Client,
    redis: MultiplexedConnection,
    prefix: String,
}

/// A grant of a lock, as it is to be seen from outside.
struct Grant {
    /// None once it was let go.
    token: Option<String>,
    fence: u64,
}

impl Locks {
    async fn of(stage: &Stage) -> Self {
        let client = redis::Client::open(format!("redis://{}", stage.servers.address_of(Server::Redis))).expect("an address");
        let redis = client.get_multiplexed_async_connection().await.expect("Redis is there");
        Self { client, redis, prefix: format!("{}:lock:", stage.premises().name()) }
    }

    async fn grant(&mut self, name: &str) -> Option<Grant> {
        let key = format!("{}{name}", self.prefix);
        let fence = self.redis.hget(&key, "fence").await.expect("an answer")?;
        let token = self.redis.hget(&key, "token").await.expect("an answer");
        Some(Grant { token, fence: fence.parse().expect("a number") })
    }

    /// Waits until somebody has a lock that was not granted before; answers the fence.
    async fn granted_after(&mut self, name: &str, before: u64) -> u64 {
        let deadline = Instant::now() + QUIET_WITHIN;
        loop {
            match self.grant(name).await {
                Some(Grant { token: Some(_), fence }) if fence > before => return fence,
                _ => assert!(Instant::now() < deadline, "nobody takes the lock {name}"),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The same, but passes over those who let go at once, as everybody does to whom nothing is late.
    async fn granted_for_a_while_after(&mut self, name: &str, mut before: u64) -> u64 {
        loop {
            let fence = self.granted_after(name, before).await;
            sleep(A_WHILE).await;
            if self.grant(name).await.is_some_and(|grant| grant.token.is_some() && grant.fence == fence) {
                return fence;
            }
            before = fence;
        }
    }

    /// Waits until somebody else has taken over the lock.
    async fn taken_over(&mut self, late: &Late) {
        let taken = async || self.grant(&late.lock).await.is_some_and(|grant| grant.fence > late.fence);
        eventually_within(QUIET_WITHIN, "somebody else takes the lock", taken).await;
    }

    /// Lets what the late one had sent arrive, and waits until Redis is asked to write it.
    async fn late_write_arrives(&self, late: &Late) {
        let monitor = self.client.get_async_monitor().await.expect("a monitor");
        let mut told = monitor.into_on_message::<String>();
        late.network.make(Weather::Clear);
        let fence = format!("\"{}\"", late.fence);
        let arrival = async { while told.next().await.is_some_and(|command| !command.contains(&fence)) {} };
        timeout(ARRIVES_WITHIN, arrival).await.expect("what was under way with the old fence arrives");
    }
}

/// A stopped program, between which and one of its servers everything hangs.
struct Late {
    network: Proxy,
    lock: String,
    fence: u64,
}

/// How a program is run that has a network of its own to a server.
async fn apart(stage: &Stage, program: &str, server: Server) -> (Command, Proxy) {
    let network = Proxy::to(stage.servers.address_of(server)).await;
    let mut told = stage.premises().told.clone();
    match server {
        Server::Mysql => told.mysql = format!("mysql://root@{}", network.address()),
        Server::Redis => told.redis = format!("redis://{}", network.address()),
        Server::Kafka => told.kafka = network.address().to_string(),
    }
    let mut command = unconfigured(program);
    command.args(stage.premises().arguments_at(&told));
    (command, network)
}

/// Runs the operator's tool until it has a lock and has sent a write under it, which does not arrive, and stops it there.
async fn stopped_operator(stage: &Stage, locks: &mut Locks, arguments: &[&str], lock: &str) -> (Child, Late) {
    // Which of its requests under the lock is the write is its own affair.
    for step in (1..=STEPS).cycle().take(TRIES) {
        let (mut command, network) = apart(stage, ADMIN, Server::Redis).await;
        network.make(Weather::Slow { late_by: LATE_BY, bytes_per_second: 10_000_000 });
        let before = locks.grant(lock).await.map_or(0, |grant| grant.fence);
        let operator = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("commerce-admin can be run");
        let fence = locks.granted_for_a_while_after(lock, before).await;
        // The grant is on its way back, and each request before the write goes there and back.
        sleep((LATE_BY * (step - 1) * 5 / 2).saturating_sub(A_WHILE)).await;
        network.make(Weather::Deaf);
        let under_way = async {
            while !contains(&network.held(), &fence.to_string()) {
                sleep(LOOK_EVERY).await;
            }
        };
        if timeout(SENT_WITHIN, under_way).await.is_ok() {
            signal(&operator, Signal::STOP);
            return (operator, Late { network, lock: lock.to_owned(), fence });
        }
        // It was too fast, or too slow: it goes its way, and the next one is tried.
        network.make(Weather::Clear);
        operator.wait_with_output().await.expect("it ends");
    }
    panic!("nobody could be stopped with a write under way that shows the fence of {lock}");
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn signal(child: &Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a process that runs");
    kill_process(id, signal).expect("a process of ours can be signalled");
}

/// Starts a scheduler that does not get any further once it has the lock of a job, for MySQL does not answer it, and stops it there.
async fn stopped_scheduler(stage: &Stage, locks: &mut Locks, log: &str, lock: &str) -> (Process, Late) {
    let (command, network) = apart(stage, SCHEDULER, Server::Mysql).await;
    let scheduler = Process::start(command, &stage.place().log_of(log), "doing the jobs ").await.expect("a scheduler starts").0;
    network.make(Weather::Hang);
    // The others have it for a moment each; whoever has it for long is the one that hangs.
    let deadline = Instant::now() + QUIET_WITHIN;
    let fence = loop {
        assert!(Instant::now() < deadline, "the one that hangs does not get the lock");
        let fence = locks.granted_after(lock, 0).await;
        sleep(Duration::from_secs(2)).await;
        if locks.grant(lock).await.is_some_and(|grant| grant.token.is_some() && grant.fence == fence) {
            break fence;
        }
    };
    scheduler.signal(Signal::STOP);
    (scheduler, Late { network, lock: lock.to_owned(), fence })
}

pub(crate) async fn late_writes_of_stopped_lock_holders_are_refused(stage: &mut Stage) {
    let coupon = Offers::put_up(&mut stage.client(), 1, 1_000).await.coupons[0];
    let user = stage.next_name("u");
    let registration = json!({ "name": user, "email": format!("{user}@shop.example"), "password": "a long password" });
    let user = stage.client().post("/api/users", &registration).await.ok()["id"].as_i64().expect("an id");
    let log = stage.next_name("commerce-scheduler-stopped-");
    let mut stopped = None;
    play(stage, "SIGSTOP of lock holders beyond their leases", async |stage, _| {
        let mut locks = Locks::of(stage).await;
        let gate = format!("gate-{coupon}");
        let (rebuilder, of_gate) = stopped_operator(stage, &mut locks, &["rebuild-gate", &coupon.to_string()], &gate).await;
        let (counter, of_ranking) = stopped_operator(stage, &mut locks, &["rebuild-ranking"], "ranking").await;
        let (scheduler, of_job) = stopped_scheduler(stage, &mut locks, &log, "job-expire-orders").await;
        for late in [&of_ranking, &of_job] {
            locks.taken_over(late).await;
        }
        // Nobody wants the gate rebuilt, for it is still open; somebody else does it now.
        eventually_within(QUIET_WITHIN, "the gate can be rebuilt", async || {
            stage.operate(&["rebuild-gate", &coupon.to_string()]).await.0 == Some(0)
        })
        .await;
        locks.taken_over(&of_gate).await;

        for late in [&of_gate, &of_ranking] {
            locks.late_write_arrives(late).await;
        }
        let over = Instant::now();
        let request = json!({ "userId": user, "couponId": coupon });
        let asked = stage.client().post("/api/coupons/publish", &request).await;
        assert_eq!(asked.status(), 202, "the gate is open, and stays so: {asked}");
        of_job.network.make(Weather::Clear);
        scheduler.signal(Signal::CONT);
        for (operator, what) in [(rebuilder, "the gate"), (counter, "the ranking")] {
            signal(&operator, Signal::CONT);
            let output = operator.wait_with_output().await.expect("it ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(3), "late with {what}: {said}{}", String::from_utf8_lossy(&output.stdout));
        }
        stopped = Some((scheduler, of_job));
        over
    })
    .await;
    let (scheduler, _network) = stopped.expect("it was played");
    let said = std::fs::read_to_string(stage.place().log_of(&log)).expect("a log");
    assert!(said.contains("a lock was lost while it was held"), "{said}");
    scheduler.signal(Signal::TERM);
    assert!(scheduler.ended().await.success(), "it goes on with what is due, and ends when it is told to");
}

//! Holders of locks that are stopped for longer than their leases and then go on as if nothing had happened: others have taken over by then, and what
//! the late ones write is refused.

use super::customers::{Offers, eventually_within};
use super::exchanges::{Exchange, exchanges, fence_granted, is_under};
use super::harness::process::{Process, unconfigured};
use super::place::{ADMIN, SCHEDULER};
use super::proxy::{Conversation, Proxy, Weather};
use super::scenario::play;
use super::servers::Server;
use super::stage::{QUIET_WITHIN, Stage};
use redis::aio::MultiplexedConnection;
use redis::{AsyncTypedCommands, Value};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(5);
const A_WHILE: Duration = Duration::from_secs(2);
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// The locks of a shop, as Redis keeps them.
struct Locks {
    redis: MultiplexedConnection,
    prefix: String,
}

/// The last grant of a lock, as it is to be seen from outside.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Grant {
    fence: u64,
    is_let_go: bool,
}

impl Locks {
    async fn of(stage: &Stage) -> Self {
        let client = redis::Client::open(format!("redis://{}", stage.servers.address_of(Server::Redis))).expect("an address");
        let redis = client.get_multiplexed_async_connection().await.expect("Redis is there");
        Self { redis, prefix: format!("{}:lock:", stage.premises().name()) }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn grant(&mut self, name: &str) -> Option<Grant> {
        let key = self.key(name);
        let fence = self.redis.hget(&key, "fence").await.expect("an answer")?;
        let until = self.redis.hget(&key, "until").await.expect("an answer")?;
        Some(Grant { fence: fence.parse().expect("a number"), is_let_go: until == "0" })
    }

    /// Waits until somebody has a lock for a while, and not for a moment, as everybody has it to whom nothing happens; answers the fence.
    async fn held_for_a_while(&mut self, name: &str) -> u64 {
        let deadline = Instant::now() + QUIET_WITHIN;
        let (mut seen, mut since) = (None, Instant::now());
        while Instant::now() < deadline {
            let grant = self.grant(name).await.filter(|grant| !grant.is_let_go);
            if grant != seen {
                (seen, since) = (grant, Instant::now());
            }
            match seen {
                Some(Grant { fence, .. }) if since.elapsed() >= A_WHILE => return fence,
                _ => sleep(LOOK_EVERY).await,
            }
        }
        panic!("nobody has the lock {name} for a while")
    }

    /// Waits until somebody else has taken over the lock.
    async fn taken_over(&mut self, lock: &str, late: u64) {
        let taken = async || self.grant(lock).await.is_some_and(|grant| grant.fence > late);
        eventually_within(QUIET_WITHIN, "somebody else takes the lock", taken).await;
    }
}

/// Runs the operator's tool until it does what it is told, and nobody else is just at it.
async fn done(stage: &Stage, arguments: &[&str]) {
    eventually_within(QUIET_WITHIN, "an operator can do it", async || stage.operate(arguments).await.0 == Some(0)).await;
}

/// A program that has a network of its own to one of the servers.
fn apart(stage: &Stage, program: &str, server: Server, network: &Proxy) -> Command {
    let mut told = stage.premises().told.clone();
    match server {
        Server::Mysql => told.mysql = format!("mysql://root@{}", network.address()),
        Server::Redis => told.redis = format!("redis://{}", network.address()),
        Server::Kafka => told.kafka = network.address().to_string(),
    }
    let mut command = unconfigured(program);
    command.args(stage.premises().arguments_at(&told));
    command
}

fn signal(child: &Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a process that runs");
    kill_process(id, signal).expect("a process of ours can be signalled");
}

/// The tool ends, and says that it could not do what it was told.
async fn could_not(tool: Child) {
    let output = tool.wait_with_output().await.expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&said));
}

/// What an operator's tool writes under a lock.
#[derive(Clone)]
struct Write {
    /// The key of the lock.
    key: String,
    /// How many writes under the same grant come before it.
    after: usize,
}

impl Write {
    /// The write, if it was sent, by whoever was granted the lock in this conversation.
    fn sent_in(&self, conversation: &Conversation) -> Option<(u64, Exchange)> {
        let said = exchanges(conversation);
        let fence = fence_granted(&said, &self.key)?;
        said.into_iter().filter(|exchange| is_under(exchange, fence)).nth(self.after).map(|write| (fence, write))
    }
}

/// A tool that was stopped when it had sent a write, which has not arrived at Redis.
struct LateOperator {
    tool: Child,
    network: Proxy,
    write: Write,
    fence: u64,
}

impl LateOperator {
    /// Runs the tool to there. What it says to Redis is overheard, with which fence it is granted the lock, too: whoever else takes the same lock, and
    /// however fast the tool is, what is held back is its own write.
    async fn stopped(stage: &Stage, arguments: &[&str], write: Write) -> Self {
        // From then on Redis knows the scripts, so that each write is one command.
        done(stage, arguments).await;
        let deadline = Instant::now() + QUIET_WITHIN;
        while Instant::now() < deadline {
            let awaited = write.clone();
            let sign = move |said: &Conversation| awaited.sent_in(said).is_some();
            let network = Proxy::that_goes_deaf(stage.servers.address_of(Server::Redis), sign).await;
            let mut command = apart(stage, ADMIN, Server::Redis, &network);
            let mut tool =
                command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("commerce-admin can be run");
            tokio::select! {
                () = network.gone_deaf() => {
                    signal(&tool, Signal::STOP);
                    let (fence, held_back) = network.heard().and_then(|said| write.sent_in(&said)).expect("it went deaf because of the write");
                    assert_eq!(held_back.answer, None, "it does not arrive");
                    return Self { tool, network, write, fence };
                }
                // Somebody else is just at it.
                _ended = tool.wait() => could_not(tool).await,
            }
        }
        panic!("{arguments:?} never gets its lock")
    }

    /// Lets the write arrive; Redis refuses it.
    async fn write_is_refused(&self) {
        self.network.make(Weather::Clear);
        let mut answer = None;
        eventually_within(ARRIVES_WITHIN, "what was held back is answered", async || {
            let sent = self.network.heard().and_then(|said| self.write.sent_in(&said));
            answer = sent.and_then(|(_, write)| write.answer);
            answer.is_some()
        })
        .await;
        assert_eq!(answer, Some(Value::Int(0)), "it carries the fence {}, and others have written since", self.fence);
    }

    async fn goes_on_and_gives_up(self) {
        signal(&self.tool, Signal::CONT);
        could_not(self.tool).await;
    }
}

/// A scheduler that did not get any further once it had the lock of a job, for MySQL did not answer it, and was stopped there.
struct LateScheduler {
    process: Process,
    network: Proxy,
    fence: u64,
}

impl LateScheduler {
    async fn stopped(stage: &Stage, locks: &mut Locks, log: &str, lock: &str) -> Self {
        let network = Proxy::to(stage.servers.address_of(Server::Mysql)).await;
        let command = apart(stage, SCHEDULER, Server::Mysql, &network);
        let process = Process::start(command, &stage.place().log_of(log), "doing the jobs ").await.expect("a scheduler starts").0;
        network.make(Weather::Hang);
        // To the others nothing happens: it is the one that hangs.
        let fence = locks.held_for_a_while(lock).await;
        process.signal(Signal::STOP);
        Self { process, network, fence }
    }

    fn goes_on(&self) {
        self.network.make(Weather::Clear);
        self.process.signal(Signal::CONT);
    }
}

const JOB: &str = "job-expire-orders";

pub(crate) async fn late_writes_of_stopped_lock_holders_are_refused(stage: &mut Stage) {
    let coupon = Offers::put_up(&mut stage.client(), 1, 1_000).await.coupons[0];
    let user = stage.next_name("u");
    let registration = json!({ "name": user, "email": format!("{user}@shop.example"), "password": "a long password" });
    let user = stage.client().post("/api/users", &registration).await.ok()["id"].as_i64().expect("an id");
    let log = stage.next_name("commerce-scheduler-stopped-");
    let mut stopped = None;
    play(stage, "SIGSTOP of lock holders beyond their leases", async |stage, _| {
        let mut locks = Locks::of(stage).await;
        let (rebuild_gate, rebuild_ranking) = (["rebuild-gate", &coupon.to_string()], ["rebuild-ranking"]);
        // One is about to close the gate, the other to call the day whole that it has counted.
        let (closes, calls_whole) =
            (Write { key: locks.key(&format!("gate-{coupon}")), after: 0 }, Write { key: locks.key("ranking"), after: 1 });
        let of_gate = LateOperator::stopped(stage, &rebuild_gate, closes).await;
        let of_ranking = LateOperator::stopped(stage, &rebuild_ranking, calls_whole).await;
        let scheduler = LateScheduler::stopped(stage, &mut locks, &log, JOB).await;
        locks.taken_over("ranking", of_ranking.fence).await;
        locks.taken_over(JOB, scheduler.fence).await;
        // Whoever has taken over the lock may not have written yet; and nobody wants the gate rebuilt, for it is still open.
        done(stage, &rebuild_gate).await;
        done(stage, &rebuild_ranking).await;

        of_gate.write_is_refused().await;
        of_ranking.write_is_refused().await;
        let over = Instant::now();
        let request = json!({ "userId": user, "couponId": coupon });
        let asked = stage.client().post("/api/coupons/publish", &request).await;
        assert_eq!(asked.status(), 202, "the gate is open, and stays so: {asked}");
        scheduler.goes_on();
        of_gate.goes_on_and_gives_up().await;
        of_ranking.goes_on_and_gives_up().await;
        stopped = Some(scheduler);
        over
    })
    .await;
    let LateScheduler { process: scheduler, network: _kept, .. } = stopped.expect("it was played");
    let said = std::fs::read_to_string(stage.place().log_of(&log)).expect("a log");
    assert!(said.contains("a lock was lost while it was held"), "{said}");
    scheduler.signal(Signal::TERM);
    assert!(scheduler.ended().await.success(), "it goes on with what is due, and ends when it is told to");
}

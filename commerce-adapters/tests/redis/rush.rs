//! A rush for one coupon, while what the gate remembers is lost: nobody is told a place that is taken away, none too many is issued, and the gate opens
//! again by itself. The store is in memory and does not fail: what is tested is Redis.

use super::own_server::{OwnSentinel, OwnServer};
use super::trial::own;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::random::ThreadRandom;
use commerce_adapters::redis::{Redis, RedisBoard, RedisCache, RedisGate, RedisLocks, RedisNotifier, RedisOptions};
use commerce_core::audit::AuditOptions;
use commerce_core::coupon::{CouponName, Discount, GateRefusal, NewCoupon};
use commerce_core::messaging::Group;
use commerce_core::store::{HiLo, Store};
use commerce_core::testing::{MemoryBus, MemoryStore, PlainHasher};
use commerce_core::user::{Actor, Email, Password, UserName};
use commerce_core::{AdmissionError, Clock, Commerce, CouponId, Parts, Settings, TaskId, UserId};
use futures_util::future::join_all;
use libtest_mimic::Trial;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const STOCK: u32 = 60;
const USERS: usize = 300;
const PATIENCE: Duration = Duration::from_mins(2);
/// The users come one after the other, so that whatever happens happens in between.
const NEXT_AFTER: Duration = Duration::from_millis(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        own("rush::a_flush_in_the_middle", a_flush_in_the_middle),
        own("rush::a_restart_that_loses_everything", a_restart_that_loses_everything),
        own("rush::a_restart_that_loses_the_last_writes", a_restart_that_loses_the_last_writes),
        own("rush::a_replica_that_had_not_heard_of_the_last_places_becomes_the_master", a_late_replica_becomes_the_master),
    ]
}

/// A shop whose gate, boards, locks and notifications are in Redis.
struct Shop {
    commerce: Commerce,
    memory: MemoryStore,
    coupon: CouponId,
    users: Vec<UserId>,
    /// How many requests were decided.
    decided: AtomicUsize,
}

impl Shop {
    async fn open(url: &str) -> Arc<Self> {
        let options: RedisOptions = url.parse().unwrap();
        let redis = Redis::connect(&options).await.unwrap();
        let (memory, clock) = (MemoryStore::new(), Arc::new(SystemClock));
        let store: Arc<dyn Store> = Arc::new(memory.clone());
        let parts = Parts {
            ids: Arc::new(HiLo::new(Arc::clone(&store))),
            store,
            bus: Arc::new(MemoryBus::new()),
            notifier: Arc::new(RedisNotifier::new(redis.clone())),
            locks: Arc::new(RedisLocks::new(redis.clone())),
            gate: Arc::new(RedisGate::new(redis.clone())),
            board: Arc::new(RedisBoard::new(redis.clone())),
            cache: Arc::new(RedisCache::new(redis)),
            passwords: Arc::new(PlainHasher),
            clock: Arc::clone(&clock) as _,
            random: Arc::new(ThreadRandom),
        };
        let commerce = Commerce::open(parts, Settings::default());
        commerce.start_consumers(&Group::ALL);
        commerce.start_relay();
        commerce.start_scheduler();
        let register = async |number: usize| {
            let (name, email) = (UserName::parse("somebody").unwrap(), Email::parse(&format!("user{number}@example.com")).unwrap());
            commerce.register(name, email, &Password::parse("a password").unwrap()).await.unwrap().id
        };
        let users = join_all((0..USERS).map(register)).await;
        let name = CouponName::parse("Welcome").unwrap();
        let expires_at = clock.now().plus(Duration::from_hours(24));
        let new = NewCoupon { name, discount: Discount::Percent(10), initial_stock: i64::from(STOCK), opens_at: None, expires_at };
        let coupon = commerce.create_coupon(new).await.unwrap().id;
        Arc::new(Self { commerce, memory, coupon, users, decided: AtomicUsize::new(0) })
    }

    /// Every user asks until it is told yes or no; answers the tasks of those who were told yes.
    async fn rush(self: &Arc<Self>) -> Vec<TaskId> {
        let ask = |(user, index): (&UserId, u32)| {
            let (shop, user) = (Arc::clone(self), *user);
            tokio::spawn(async move {
                sleep(index * NEXT_AFTER).await;
                shop.ask(user).await
            })
        };
        let told = join_all(self.users.iter().zip(0..).map(ask)).await;
        told.into_iter().filter_map(Result::unwrap).collect()
    }

    async fn ask(&self, user: UserId) -> Option<TaskId> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.commerce.request_coupon(user, self.coupon).await;
            let decided = match answer {
                Ok(request) => Some(Some(request.task_id)),
                // In the window, or with a place, is also who was admitted by a call whose answer was lost.
                Err(AdmissionError::Refused(GateRefusal::OutOfStock | GateRefusal::TooManyRequests { .. } | GateRefusal::Duplicated)) => {
                    Some(None)
                }
                Err(AdmissionError::Closed | AdmissionError::Gate(_)) => None,
                Err(error) => panic!("user {user} was told: {error}"),
            };
            if let Some(decided) = decided {
                self.decided.fetch_add(1, Ordering::Relaxed);
                return decided;
            }
            assert!(Instant::now() < deadline, "the gate does not open again");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until so many requests were decided.
    async fn once_decided(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.decided.load(Ordering::Relaxed) < count {
            assert!(Instant::now() < deadline, "nobody is decided any more");
            sleep(Duration::from_micros(200)).await;
        }
    }

    /// Checks that everybody who was told yes has a decided request, that the coupons are those of the stock, and that the books are right.
    async fn close(&self, told: &[TaskId]) {
        let deadline = Instant::now() + PATIENCE;
        for task in told {
            loop {
                let request = self.commerce.coupon_request(*task, Actor::Admin).await.unwrap().expect("a task that was told is known");
                if !request.is_pending() {
                    break;
                }
                assert!(Instant::now() < deadline, "task {task} is never decided");
                sleep(LOOK_EVERY).await;
            }
        }
        let issued = self.memory.queries().issued_of(self.coupon, None, 10_000).await.unwrap();
        assert!(issued.len() <= STOCK as usize, "{} of {STOCK} were issued", issued.len());
        let positions: BTreeSet<_> = issued.iter().map(|held| held.position).collect();
        assert_eq!(positions.len(), issued.len(), "every place is one user's");
        let report = loop {
            match self.commerce.audit(AuditOptions::default(), &mut |_| {}).await {
                Ok(report) => break report,
                Err(error) => assert!(Instant::now() < deadline, "the gates cannot be asked: {error}"),
            }
        };
        assert!(report.is_clean(), "{report:?}");
        self.commerce.shutdown().await;
    }
}

/// Lets a rush go on until some are decided, does something to the servers, and checks what came of it.
async fn rush_while(url: &str, decided: usize, fault: impl AsyncFnOnce()) {
    let shop = Shop::open(url).await;
    let rush = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.rush().await }
    });
    shop.once_decided(decided).await;
    fault().await;
    let told = rush.await.unwrap();
    shop.close(&told).await;
}

async fn a_flush_in_the_middle() {
    let server = OwnServer::start(&[]);
    rush_while(&server.url(), 30, async || drop(server.ask("FLUSHALL").unwrap())).await;
}

async fn a_restart_that_loses_everything() {
    let mut server = OwnServer::start(&[]);
    let url = server.url();
    rush_while(&url, 30, async || {
        server.kill();
        server.begin();
    })
    .await;
}

async fn a_restart_that_loses_the_last_writes() {
    let mut server = OwnServer::start(&["--appendonly", "yes", "--appendfsync", "no"]);
    let url = server.url();
    rush_while(&url, 30, async || {
        server.kill();
        server.cut_log();
        server.begin();
    })
    .await;
}

async fn a_late_replica_becomes_the_master() {
    let mut own = OwnSentinel::start();
    let url = own.url();
    rush_while(&url, 10, async || {
        own.replica.ask("REPLICAOF 127.0.0.1 1").unwrap();
        // What is decided, and settled, now the replica does not hear of.
        sleep(Duration::from_millis(100)).await;
        own.master.kill();
    })
    .await;
}

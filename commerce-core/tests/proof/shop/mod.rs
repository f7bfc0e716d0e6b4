//! A shop in memory whose saga steps are driven by hand.

mod goods;

use commerce_core::coupon::{CouponIssuer, CouponSteps, GateSettler, InProcessGate, UserCouponStatus};
use commerce_core::messaging::{
    Consumer, Effect, EffectConsumer, EventHandler, Group, Groups, Message, MessageBus, Relay, SagaPace, Topic,
};
use commerce_core::order::{Order, OrderStatus, OrderSteps};
use commerce_core::ranking::SaleCounter;
use commerce_core::stock::StockSteps;
use commerce_core::store::{GroupCommit, GroupCommitLimits, HiLo, Queries, Store};
use commerce_core::testing::{
    Fault, FaultyStore, ManualClock, MemoryBoard, MemoryBus, MemoryCache, MemoryLocks, MemoryNotifier, MemoryStore, PlainHasher,
    SeededRandom,
};
use commerce_core::{Clock, Commerce, EventId, OrderId, Parts, Settings, UserId};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The groups whose steps make up the saga of an order.
pub(crate) const SAGA: [Group; 3] = [Group::Stock, Group::Coupon, Group::Order];
/// Far longer than anything takes; it passes at once where tokio's clock is paused.
const DEADLINE: Duration = Duration::from_mins(10);

/// A shop whose commands meet no faults and whose saga steps meet those of `faults`.
pub(crate) struct Shop {
    pub(crate) commerce: Commerce,
    pub(crate) memory: MemoryStore,
    pub(crate) faults: Arc<FaultyStore>,
    pub(crate) bus: MemoryBus,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) relay: Relay,
    steps: Arc<GroupCommit>,
}

/// The parts of a shop on `memory` and `bus`.
pub(crate) fn parts(memory: &MemoryStore, bus: &MemoryBus, clock: &Arc<ManualClock>) -> Parts {
    let store: Arc<dyn Store> = Arc::new(memory.clone());
    Parts {
        ids: Arc::new(HiLo::new(Arc::clone(&store))),
        store,
        bus: Arc::new(bus.clone()),
        notifier: Arc::new(MemoryNotifier::new()),
        locks: Arc::new(MemoryLocks::new()),
        gate: Arc::new(InProcessGate::new()),
        board: Arc::new(MemoryBoard::new()),
        cache: Arc::new(MemoryCache::new()),
        passwords: Arc::new(PlainHasher),
        clock: Arc::clone(clock) as _,
        random: Arc::new(SeededRandom::new(1)),
    }
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::with(Settings::default(), |_| {})
    }

    /// A shop with other settings, and with parts that `change` has changed.
    pub(crate) fn with(settings: Settings, change: impl FnOnce(&mut Parts)) -> Self {
        let (memory, bus, clock) = (MemoryStore::new(), MemoryBus::new(), Arc::new(ManualClock::default()));
        let mut parts = parts(&memory, &bus, &clock);
        change(&mut parts);
        let faults = Arc::new(FaultyStore::scripted(Arc::new(memory.clone()), []));
        let steps = GroupCommit::start(Arc::clone(&faults) as _, Arc::clone(&parts.random), GroupCommitLimits::default());
        let wake = Arc::default();
        let relay = Relay::new(Arc::new(memory.clone()), Arc::new(bus.clone()), Arc::clone(&clock) as _, Arc::clone(&parts.random), wake);
        Self { commerce: Commerce::open(parts, settings), memory, faults, bus, clock, relay, steps }
    }

    /// From now on `percent` of the saga's units of work fail, and the bus repeats and holds back, as `seed` says.
    pub(crate) fn trouble(&mut self, seed: u64, percent: u8) {
        self.faults = Arc::new(FaultyStore::seeded(Arc::new(self.memory.clone()), seed, percent, &Fault::ALL));
        self.steps = GroupCommit::start(Arc::clone(&self.faults) as _, Arc::new(SeededRandom::new(seed)), GroupCommitLimits::default());
        self.bus.misbehave(seed);
    }

    pub(crate) fn queries(&self) -> &dyn Queries {
        self.memory.queries()
    }

    /// Carries the outbox to the bus.
    pub(crate) async fn carry(&self) {
        while self.relay.carry_once().await.unwrap() > 0 {}
    }

    /// Lets one group handle everything that has happened so far.
    pub(crate) async fn deliver(&self, group: Group) {
        self.carry().await;
        match group {
            Group::Stock => self.consume(StockSteps { clock: Arc::clone(&self.clock) as _ }).await,
            Group::Coupon => self.consume(CouponSteps { clock: Arc::clone(&self.clock) as _ }).await,
            Group::Order => self.consume(OrderSteps { clock: Arc::clone(&self.clock) as _ }).await,
            Group::CouponIssuer => self.consume(CouponIssuer { clock: Arc::clone(&self.clock) as _ }).await,
            Group::CouponGate => self.take_effect(GateSettler { keeper: self.commerce.gate_keeper().clone() }).await,
            Group::Ranking => {
                let (board, calendar) = (Arc::clone(&self.commerce.parts().board), self.commerce.settings().calendar);
                self.take_effect(SaleCounter { board, calendar, clock: Arc::clone(&self.clock) as _ }).await;
            }
            Group::Notification => unreachable!("notifications are hints: nobody waits for them"),
        }
    }

    /// Lets `handler` handle everything its group has not handled yet.
    pub(crate) async fn consume(&self, handler: impl EventHandler) {
        self.consume_from(Arc::new(self.bus.clone()), handler).await;
    }

    /// The same through a bus that leads to the shop's one.
    pub(crate) async fn consume_from(&self, bus: Arc<dyn MessageBus>, handler: impl EventHandler) {
        let group = handler.group();
        let consumer = self.consumer(bus, handler);
        let (topics, stop) = (consumer.topics(), CancellationToken::new());
        let running = tokio::spawn(consumer.run(stop.clone()));
        self.until_handled(group, &topics).await;
        stop.cancel();
        running.await.unwrap();
    }

    /// Lets an effect be had of everything its group has not handled yet.
    pub(crate) async fn take_effect(&self, effect: impl Effect) {
        let (bus, random) = (Arc::new(self.bus.clone()), Arc::new(SeededRandom::new(2)));
        let group = effect.group();
        let consumer = EffectConsumer::new(effect, &self.steps, bus, Arc::clone(&self.clock) as _, random, Duration::ZERO);
        let (topics, stop) = (consumer.topics(), CancellationToken::new());
        let running = tokio::spawn(consumer.run(stop.clone()));
        self.until_handled(group, &topics).await;
        stop.cancel();
        running.await.unwrap();
    }

    async fn until_handled(&self, group: Group, topics: &[Topic]) {
        let all_handled = async {
            while self.bus.lag(group, topics).await.unwrap() > 0 {
                // The clock is paused: this passes as soon as nobody else can go on.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(DEADLINE, all_handled).await.expect("everything is handled in the end");
    }

    /// A consumer whose units of work meet the faults of this shop.
    pub(crate) fn consumer<E: EventHandler>(&self, bus: Arc<dyn MessageBus>, handler: E) -> Consumer<E> {
        Consumer::new(handler, &self.steps, bus, Arc::clone(&self.clock) as _, Arc::new(SeededRandom::new(2)), SagaPace::ByMessage)
    }

    /// Lets the coupon issuer decide what was requested, and tells the gate.
    pub(crate) async fn issue_coupons(&self) {
        self.deliver(Group::CouponIssuer).await;
        self.deliver(Group::CouponGate).await;
    }

    /// Lets every group handle events until nothing happens any more.
    pub(crate) async fn settle(&self) {
        loop {
            self.carry().await;
            let before = self.bus.messages(Topic::Order).len();
            for group in SAGA {
                self.deliver(group).await;
            }
            self.carry().await;
            if self.bus.messages(Topic::Order).len() == before {
                return;
            }
        }
    }

    /// Publishes everything that was ever published once more, under the same ids.
    pub(crate) async fn repeat_history(&self) {
        self.bus.publish(&self.history()).await.unwrap();
    }

    /// Publishes every fact that was ever published once more, under ids that nobody has seen.
    pub(crate) async fn retell_history(&self) {
        const UNSEEN: i64 = 1_000_000_000;
        let retold = |message: Message| {
            let id = EventId::new(message.id.get() + UNSEEN).unwrap();
            Message { id, handled_by: Groups::default(), ..message }
        };
        let history: Vec<_> = self.history().into_iter().map(retold).collect();
        self.bus.publish(&history).await.unwrap();
    }

    fn history(&self) -> Vec<Message> {
        Topic::ALL.into_iter().flat_map(|topic| self.bus.messages(topic)).collect()
    }

    pub(crate) async fn order(&self, id: OrderId) -> Order {
        self.queries().order(id).await.unwrap().unwrap().order
    }

    pub(crate) async fn status(&self, id: OrderId) -> OrderStatus {
        self.order(id).await.status
    }

    pub(crate) async fn balance(&self, user: UserId) -> i64 {
        self.queries().balance(user).await.unwrap().unwrap().krw()
    }

    pub(crate) async fn coupon_status(&self, user: UserId) -> UserCouponStatus {
        let (held, coupon) = self.queries().user_coupons(user).await.unwrap().remove(0);
        held.status(&coupon, self.clock.now())
    }

    pub(crate) async fn dead_letters(&self) -> usize {
        self.queries().dead_letters(None, commerce_core::store::PageLimit::default()).await.unwrap().len()
    }
}

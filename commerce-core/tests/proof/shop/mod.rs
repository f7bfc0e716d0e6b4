//! A shop in memory whose saga steps are driven by hand.

use commerce_core::coupon::{
    Coupon, CouponName, CouponSteps, Discount, DiscountKind, NewCoupon, Position, UserCoupon, UserCouponState, UserCouponStatus,
};
use commerce_core::messaging::{Consumer, EventHandler, Group, Message, MessageBus, Relay, Topic};
use commerce_core::order::{Order, OrderLine, OrderLines, OrderStatus, OrderSteps, Quantity};
use commerce_core::point::ChargeAmount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, Product, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::{StockQuantity, StockSteps};
use commerce_core::store::{GroupCommit, GroupCommitLimits, HiLo, Queries, Store};
use commerce_core::testing::{
    Fault, FaultyStore, ManualClock, MemoryBus, MemoryLocks, MemoryNotifier, MemoryStore, PlainHasher, SeededRandom,
};
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Clock, Commerce, EventId, OptionId, OrderId, Parts, Sequence, Settings, TaskId, UserCouponId, UserId};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The groups whose steps make up the saga of an order.
pub(crate) const SAGA: [Group; 3] = [Group::Stock, Group::Coupon, Group::Order];
/// Far longer than anything takes; it passes at once where tokio's clock is paused.
const DEADLINE: Duration = Duration::from_secs(600);

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

    pub(crate) async fn user(&self, points: i64) -> UserId {
        let number: TaskId = self.commerce.next_id(Sequence::Task).await.unwrap();
        let (name, email) = (UserName::parse("Somebody").unwrap(), Email::parse(&format!("user-{number}@shop.example")).unwrap());
        let hash = PasswordHash::new("plain:secret".to_owned());
        let user = self.commerce.register_hashed(name, email, hash, Role::Customer).await.unwrap();
        if points > 0 {
            self.commerce.charge(user.id, ChargeAmount::new(points).unwrap()).await.unwrap();
        }
        user.id
    }

    /// A product with one option.
    pub(crate) async fn product(&self, price: i64, stock: i64) -> Product {
        let option = NewOption {
            name: OptionName::parse("The only one").unwrap(),
            price: UnitPrice::new(price).unwrap(),
            stock: StockQuantity::new(stock).unwrap(),
        };
        let (name, description) = (ProductName::parse("Shoe").unwrap(), ProductDescription::parse("A shoe to walk in").unwrap());
        let product = NewProduct { name, category: Category::Shoes, description, options: vec![option] };
        self.commerce.create_product(product).await.unwrap()
    }

    pub(crate) async fn option(&self, price: i64, stock: i64) -> OptionId {
        self.product(price, stock).await.options[0].id
    }

    /// A coupon of 10 % in the hands of `user`, which can be used for a day.
    pub(crate) async fn coupon(&self, user: UserId) -> UserCouponId {
        let new = NewCoupon {
            name: CouponName::parse("Welcome").unwrap(),
            discount: Discount::new(DiscountKind::Percent, 10).unwrap(),
            initial_stock: 1,
            opens_at: None,
            expires_at: self.clock.now().plus(Duration::from_secs(24 * 60 * 60)),
        };
        let coupon = self.commerce.create_coupon(new).await.unwrap();
        let (id, task_id): (UserCouponId, TaskId) =
            (self.commerce.next_id(Sequence::UserCoupon).await.unwrap(), self.commerce.next_id(Sequence::Task).await.unwrap());
        let held = UserCoupon {
            id,
            user_id: user,
            coupon_id: coupon.id,
            state: UserCouponState::Issued,
            position: Position::new(1).unwrap(),
            task_id,
            issued_at: self.clock.now(),
        };
        let mut uow = self.memory.begin().await.unwrap();
        uow.coupons().save(&[Coupon { issued: 1, ..coupon }]).await.unwrap();
        uow.coupons().issue(&[held]).await.unwrap();
        uow.commit().await.unwrap();
        id
    }

    pub(crate) async fn place(&self, user: UserId, units: &[(OptionId, i64)], coupon: Option<UserCouponId>) -> OrderId {
        let line = |&(option_id, units): &(OptionId, i64)| OrderLine { option_id, quantity: Quantity::new(units).unwrap() };
        let lines = OrderLines::merge(&units.iter().map(line).collect::<Vec<_>>()).unwrap();
        self.commerce.place_order(user, lines, coupon).await.unwrap().id
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
            other => unreachable!("{} is no group of the saga", other.name()),
        }
    }

    /// Lets `handler` handle everything its group has not handled yet.
    pub(crate) async fn consume(&self, handler: impl EventHandler) {
        let group = handler.group();
        let bus: Arc<dyn MessageBus> = Arc::new(self.bus.clone());
        let (clock, random) = (Arc::clone(&self.clock) as _, Arc::new(SeededRandom::new(2)));
        let consumer = Consumer::new(handler, &self.steps, bus, clock, random);
        let (topics, stop) = (consumer.topics(), CancellationToken::new());
        let running = tokio::spawn(consumer.run(stop.clone()));
        let all_handled = async {
            while self.bus.lag(group, &topics).await.unwrap() > 0 {
                // The clock is paused: this passes as soon as nobody else can go on.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(DEADLINE, all_handled).await.expect("everything is handled in the end");
        stop.cancel();
        running.await.unwrap();
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
        self.bus.publish(&self.bus.messages(Topic::Order)).await.unwrap();
    }

    /// Publishes every fact that was ever published once more, under ids that nobody has seen.
    pub(crate) async fn retell_history(&self) {
        const UNSEEN: i64 = 1_000_000_000;
        let retold = |message: Message| Message { id: EventId::new(message.id.get() + UNSEEN).unwrap(), ..message };
        let history: Vec<_> = self.bus.messages(Topic::Order).into_iter().map(retold).collect();
        self.bus.publish(&history).await.unwrap();
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

//! Several processes on one database: nothing is lost between them, and they wait for each other instead of breaking each other off.

use crate::database::Database;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::mysql::MysqlStore;
use commerce_adapters::random::ThreadRandom;
use commerce_core::audit::AuditOptions;
use commerce_core::coupon::InProcessGate;
use commerce_core::messaging::{Group, Relay};
use commerce_core::order::{Order, OrderLine, OrderLines, Quantity};
use commerce_core::point::ChargeAmount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::StockQuantity;
use commerce_core::store::{GroupCommitLimits, HiLo, Random, Store};
use commerce_core::testing::{FaultyStore, MemoryBoard, MemoryBus, MemoryCache, MemoryLocks, MemoryNotifier, PlainHasher};
use commerce_core::user::{Actor, Email, PasswordHash, Role, UserName};
use commerce_core::{Commerce, Money, OptionId, OrderId, Parts, Settings, UserId};
use futures_util::future::join_all;
use std::sync::Arc;

const BUYERS: u64 = 24;
const ROUNDS: u64 = 8;
const PRICE: i64 = 100;

/// What processes share beside the database.
#[derive(Default, Clone)]
struct Shared {
    bus: MemoryBus,
    board: MemoryBoard,
    locks: MemoryLocks,
    notifier: MemoryNotifier,
}

/// One of several processes of a shop.
struct Process {
    commerce: Commerce,
    store: MysqlStore,
    /// It meets no faults: it counts.
    counted: Arc<FaultyStore>,
}

impl Process {
    async fn start(database: &Database, shared: &Shared) -> Self {
        let store = database.store().await;
        let counted = Arc::new(FaultyStore::scripted(Arc::new(store.clone()), []));
        let parts = Parts {
            ids: Arc::new(HiLo::new(Arc::clone(&counted) as _)),
            store: Arc::clone(&counted) as _,
            bus: Arc::new(shared.bus.clone()),
            notifier: Arc::new(shared.notifier.clone()),
            locks: Arc::new(shared.locks.clone()),
            gate: Arc::new(InProcessGate::new()),
            board: Arc::new(shared.board.clone()),
            cache: Arc::new(MemoryCache::default()),
            passwords: Arc::new(PlainHasher),
            clock: Arc::new(SystemClock),
            random: Arc::new(ThreadRandom),
        };
        let group_commit = GroupCommitLimits { batches_in_flight_max: 2, ..GroupCommitLimits::default() };
        let settings = Settings { group_commit, ..Settings::default() };
        let commerce = Commerce::open(parts, settings);
        commerce.follow(&[Group::Stock, Group::Coupon, Group::Order]);
        Self { commerce, store, counted }
    }

    async fn stop(self) {
        self.commerce.shutdown().await;
        self.store.close().await;
    }

    /// The two options of a product.
    async fn product(&self) -> [OptionId; 2] {
        let option = |name: &str| NewOption {
            name: OptionName::parse(name).unwrap(),
            price: UnitPrice::new(PRICE).unwrap(),
            stock: StockQuantity::new(1_000_000).unwrap(),
        };
        let product = NewProduct {
            name: ProductName::parse("Shoe").unwrap(),
            category: Category::Shoes,
            description: ProductDescription::parse("A shoe to walk in").unwrap(),
            options: vec![option("hot"), option("cold")],
        };
        let product = self.commerce.create_product(product).await.unwrap();
        [product.options[0].id, product.options[1].id]
    }

    async fn user(&self, number: u64) -> UserId {
        let (name, email) = (UserName::parse("Somebody").unwrap(), Email::parse(&format!("user{number}@shop.example")).unwrap());
        let hash = PasswordHash::new("plain:secret".to_owned());
        self.commerce.register_hashed(name, email, hash, Role::Customer).await.unwrap().id
    }

    async fn place(&self, user: UserId, options: &[OptionId]) -> Order {
        let line = |option_id: &OptionId| OrderLine { option_id: *option_id, quantity: Quantity::new(1).unwrap() };
        let lines = OrderLines::merge(&options.iter().map(line).collect::<Vec<_>>()).unwrap();
        self.commerce.place_order(user, lines, None).await.unwrap()
    }
}

/// What a buyer was told.
struct Told {
    user: UserId,
    paid: Vec<OrderId>,
    cancelled: Vec<OrderId>,
    refunded: Vec<OrderId>,
    /// The last balance.
    balance: i64,
}

/// Buys, cancels and gives back, each step at another process.
async fn buy(processes: &[Process], number: u64, options: &[[OptionId; 2]]) -> Told {
    let at = |step: u64| &processes[usize::try_from(step + number).unwrap() % processes.len()];
    let user = at(0).user(number).await;
    let mut told = Told { user, paid: Vec::new(), cancelled: Vec::new(), refunded: Vec::new(), balance: 0 };
    for round in 0..ROUNDS {
        told.balance = at(round).commerce.charge(user, ChargeAmount::new(1_000).unwrap()).await.unwrap().krw();
        // Everybody wants the first option, some want another one with it, and nobody names them in the same order.
        let other = options[usize::try_from(ThreadRandom.up_to(u64::try_from(options.len() - 1).unwrap())).unwrap()][1];
        let wanted = if (number + round).is_multiple_of(3) { vec![other, options[0][0]] } else { vec![options[0][0]] };
        let order = at(round + 1).place(user, &wanted).await;
        match (number + round) % 5 {
            0 => {
                at(round).commerce.cancel_order(order.id, Actor::Customer(user)).await.unwrap();
                told.cancelled.push(order.id);
            }
            1 => {
                let payment = at(round).commerce.pay(order.id, user).await.unwrap();
                at(round + 1).commerce.refund(payment.id, Actor::Customer(user)).await.unwrap();
                told.refunded.push(order.id);
            }
            _ => {
                let payment = at(round).commerce.pay(order.id, user).await.unwrap();
                told.balance -= payment.amount.krw();
                told.paid.push(order.id);
            }
        }
    }
    told
}

pub(crate) async fn two_processes_under_a_mixed_load_lose_nothing_and_seldom_break_each_other_off(database: Database) {
    // Given two processes, and customers who turn to both of them,
    let shared = Shared::default();
    let processes = [Process::start(&database, &shared).await, Process::start(&database, &shared).await];
    let mut options = Vec::new();
    for process in processes.iter().cycle().take(4) {
        options.push(process.product().await);
    }
    // when they buy the same things at the same time, while somebody counts the stock,
    let buyers = join_all((0..BUYERS).map(|number| buy(&processes, number, &options)));
    let counting = async {
        for round in 0..20_usize {
            processes[round % 2].commerce.adjust_stock(options[round % 4][0], -1, "count").await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (told, ()) = futures_util::join!(buyers, counting);
    // then all that they were told is so,
    let queries = processes[0].store.queries();
    for told in &told {
        for (orders, status) in [(&told.paid, "COMPLETED"), (&told.cancelled, "CANCELLED"), (&told.refunded, "REFUNDED")] {
            for view in queries.orders(orders).await.unwrap() {
                assert_eq!(view.order.status.as_str(), status);
            }
            assert_eq!(queries.orders(orders).await.unwrap().len(), orders.len());
        }
        assert_eq!(queries.balance(told.user).await.unwrap().map(Money::krw), Some(told.balance));
    }
    let paid: usize = told.iter().map(|told| told.paid.len() + told.refunded.len()).sum();
    assert!(paid > 100);
    // the books are right,
    let relay = {
        let parts = processes[0].commerce.parts();
        Relay::new(Arc::clone(&parts.store), Arc::clone(&parts.bus), Arc::clone(&parts.clock), Arc::clone(&parts.random), Arc::default())
    };
    while relay.carry_once().await.unwrap() > 0 {}
    let mut report = processes[0].commerce.audit(AuditOptions::default(), &mut |_| {}).await.unwrap();
    // Nobody counts sales here.
    report.violations.retain(|violation| violation.check != commerce_core::audit::CheckId::A9);
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    // and hardly any unit of work was broken off.
    let counts = processes.each_ref().map(|process| process.counted.counts());
    let (begun, committed) = counts.iter().fold((0, 0), |(begun, committed), counts| (begun + counts.begun, committed + counts.committed));
    let broken_off = begun - committed;
    assert!(broken_off * 20 <= committed, "{broken_off} of {begun} units of work were broken off");
    for process in processes {
        process.stop().await;
    }
}

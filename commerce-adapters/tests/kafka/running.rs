use super::events::until;
use super::shops::Shop;
use commerce_adapters::clock::SystemClock;
use commerce_adapters::kafka::KafkaBus;
use commerce_adapters::random::ThreadRandom;
use commerce_core::coupon::InProcessGate;
use commerce_core::messaging::{DeadLetter, Group, MessageBus, SagaPace, Topic};
use commerce_core::order::{OrderLine, OrderLines, OrderStatus, Quantity};
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::StockQuantity;
use commerce_core::store::{HiLo, PageLimit, Store};
use commerce_core::testing::{MemoryBoard, MemoryCache, MemoryLocks, MemoryNotifier, MemoryStore, PlainHasher};
use commerce_core::user::{Actor, Email, PasswordHash, Role, UserName};
use commerce_core::{Commerce, OptionId, OrderId, Parts, ProductId, Settings, UserId};
use std::sync::Arc;

const SAGA: [Group; 3] = [Group::Stock, Group::Coupon, Group::Order];
pub(crate) const SHELF: i64 = 100;

/// A shop whose data is in memory, whose events travel over Kafka, and whose saga is taken step by step as they come.
pub(crate) struct Running {
    pub(crate) commerce: Commerce,
    pub(crate) memory: MemoryStore,
    pub(crate) bus: Arc<KafkaBus>,
    buyer: UserId,
    product: ProductId,
    pub(crate) option: OptionId,
}

impl Running {
    /// A shop that runs, with a buyer and a product.
    pub(crate) async fn on(shop: &Shop) -> Self {
        let (memory, bus) = (MemoryStore::new(), Arc::new(shop.bus().await));
        let store: Arc<dyn Store> = Arc::new(memory.clone());
        let parts = Parts {
            ids: Arc::new(HiLo::new(Arc::clone(&store))),
            store,
            bus: Arc::clone(&bus) as _,
            notifier: Arc::new(MemoryNotifier::new()),
            locks: Arc::new(MemoryLocks::new()),
            gate: Arc::new(InProcessGate::new()),
            board: Arc::new(MemoryBoard::new()),
            cache: Arc::new(MemoryCache::new()),
            passwords: Arc::new(PlainHasher),
            clock: Arc::new(SystemClock),
            random: Arc::new(ThreadRandom),
        };
        let commerce = Commerce::open(parts, Settings { saga_pace: SagaPace::ByMessage, ..Settings::default() });
        commerce.start_relay();
        commerce.start_consumers(&SAGA);
        let (name, email) = (UserName::parse("Somebody").unwrap(), Email::parse("somebody@shop.example").unwrap());
        let buyer = commerce.register_hashed(name, email, PasswordHash::new("plain:secret".to_owned()), Role::Customer).await.unwrap().id;
        let option = NewOption {
            name: OptionName::parse("The only one").unwrap(),
            price: UnitPrice::new(1_000).unwrap(),
            stock: StockQuantity::new(SHELF).unwrap(),
        };
        let (name, description) = (ProductName::parse("Shoe").unwrap(), ProductDescription::parse("A shoe to walk in").unwrap());
        let new = NewProduct { name, category: Category::Shoes, description, options: vec![option] };
        let product = commerce.create_product(new).await.unwrap();
        Self { commerce, memory, bus, buyer, product: product.id, option: product.options[0].id }
    }

    /// Places an order of one unit and waits until it can be paid.
    pub(crate) async fn order(&self) -> OrderId {
        let line = OrderLine { option_id: self.option, quantity: Quantity::new(1).unwrap() };
        let order = self.commerce.place_order(self.buyer, OrderLines::merge(&[line]).unwrap(), None).await.unwrap().id;
        self.becomes(order, OrderStatus::AwaitingPayment).await;
        order
    }

    pub(crate) async fn becomes(&self, order: OrderId, status: OrderStatus) {
        let view = async || self.commerce.order(order, Actor::Admin).await.unwrap().unwrap();
        until("the order moves on", async || view().await.order.status == status).await;
    }

    pub(crate) async fn stock(&self) -> i64 {
        let product = self.commerce.product(self.product).await.unwrap().unwrap();
        product.options[0].stock.units().into()
    }

    pub(crate) async fn letters(&self) -> Vec<DeadLetter> {
        self.memory.queries().dead_letters(None, PageLimit::default()).await.unwrap()
    }

    /// Waits until every event is carried and handled.
    pub(crate) async fn rests(&self) {
        until("every event is carried", async || self.memory.snapshot().await.unwrap().undelivered(1).await.unwrap().is_empty()).await;
        for group in SAGA {
            until("every event is handled", async || self.bus.lag(group, &[Topic::Order]).await.unwrap() == 0).await;
        }
    }

    pub(crate) async fn end(self) {
        self.commerce.shutdown().await;
        self.bus.close().await.unwrap();
    }
}

use super::orders_model::Model;
use crate::books::Books;
use crate::shop::{SAGA, Shop};
use commerce_core::idempotency::KeyedCommand;
use commerce_core::messaging::Group;
use commerce_core::order::{OrderLine, OrderLines, PlaceOrder, Quantity};
use commerce_core::point::ChargeAmount;
use commerce_core::testing::Fault;
use commerce_core::user::Actor;
use commerce_core::{OptionId, OrderId, PaymentId, UserCouponId, UserId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::time::Duration;

/// What the users have at first.
pub(super) const POINTS: [i64; 3] = [0, 9_000, 50_000];
/// Price and stock of the options at first.
pub(super) const OPTIONS: [(i64, i64); 3] = [(1_005, 6), (9_999, 2), (0, 1)];
/// How long coupons can be used.
pub(super) const COUPON_LIFE: Duration = Duration::from_hours(24);
const ORDERS_MAX: usize = 6;

/// Something that happens. Orders are named by the number under which they were placed: one that was not placed yet does not exist.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Place { user: usize, lines: Vec<(usize, i64)>, coupon: Option<usize> },
    Deliver(Group),
    Pay { order: usize, user: usize },
    Cancel { order: usize, user: usize },
    Refund { order: usize },
    Expire,
    Advance { minutes: u64 },
    Charge { user: usize, amount: i64 },
    Adjust { option: usize, delta: i64 },
    Repeat,
    Retell,
    Fault(Fault),
}

fn action() -> impl Strategy<Value = Action> {
    let (user, option, order) = (0..POINTS.len(), 0..OPTIONS.len(), 0..ORDERS_MAX);
    let lines = vec((option.clone(), 1..4_i64), 1..3);
    prop_oneof![
        4 => (user.clone(), lines, option::of(user.clone())).prop_map(|(user, lines, coupon)| Action::Place { user, lines, coupon }),
        8 => proptest::sample::select(SAGA.to_vec()).prop_map(Action::Deliver),
        4 => (order.clone(), user.clone()).prop_map(|(order, user)| Action::Pay { order, user }),
        2 => (order.clone(), user.clone()).prop_map(|(order, user)| Action::Cancel { order, user }),
        2 => order.prop_map(|order| Action::Refund { order }),
        1 => Just(Action::Expire),
        2 => prop_oneof![Just(1), Just(14), Just(15), Just(24 * 60)].prop_map(|minutes| Action::Advance { minutes }),
        1 => (user, 1_000..20_000_i64).prop_map(|(user, amount)| Action::Charge { user, amount }),
        1 => (option, -3..6_i64).prop_map(|(option, delta)| Action::Adjust { option, delta }),
        1 => Just(Action::Repeat),
        1 => Just(Action::Retell),
        2 => proptest::sample::select(Fault::ALL.to_vec()).prop_map(Action::Fault),
    ]
}

/// The shop, and the ids that stand for the model's indexes.
struct World {
    shop: Shop,
    users: Vec<UserId>,
    options: Vec<OptionId>,
    coupons: Vec<UserCouponId>,
    payments: Vec<Option<PaymentId>>,
}

impl World {
    async fn create() -> Self {
        let shop = Shop::open();
        let (mut users, mut options, mut coupons) = (Vec::new(), Vec::new(), Vec::new());
        for points in POINTS {
            let user = shop.user(points).await;
            coupons.push(shop.coupon(user).await);
            users.push(user);
        }
        for (price, stock) in OPTIONS {
            options.push(shop.option(price, stock).await);
        }
        Self { shop, users, options, coupons, payments: Vec::new() }
    }

    /// The id of an order: all lie in the same partition of the bus, so that all events have one order, which the model knows.
    fn order(index: usize) -> OrderId {
        const PARTITIONS: i64 = 8;
        OrderId::new((i64::try_from(index).unwrap() + 1) * PARTITIONS).unwrap()
    }

    /// Does what a command or the clock does. Refusals are of no interest here: what they leave is compared.
    async fn act(&mut self, action: &Action) {
        let Self { shop, users, options, coupons, payments } = self;
        match *action {
            Action::Place { user, ref lines, coupon } => {
                let line =
                    |&(option, units): &(usize, i64)| OrderLine { option_id: options[option], quantity: Quantity::new(units).unwrap() };
                let lines = OrderLines::merge(&lines.iter().map(line).collect::<Vec<_>>()).unwrap();
                let (id, user_coupon_id) = (Self::order(payments.len()), coupon.map(|coupon| coupons[coupon]));
                let command = PlaceOrder { id, user_id: users[user], user_coupon_id, lines, trace_parent: None };
                shop.commerce.desks().place_order.submit(KeyedCommand::without_key(command)).await.unwrap();
                payments.push(None);
            }
            Action::Pay { order, user } => {
                if let Ok(payment) = shop.commerce.pay(Self::order(order), users[user]).await {
                    payments[order] = Some(payment.id);
                }
            }
            Action::Cancel { order, user } => {
                let _refusal = shop.commerce.cancel_order(Self::order(order), Actor::Customer(users[user])).await;
            }
            Action::Refund { order } => {
                if let Some(payment) = payments.get(order).copied().flatten() {
                    let _refusal = shop.commerce.refund(payment, Actor::Admin).await;
                }
            }
            Action::Expire => drop(shop.commerce.expire_orders(100, &[]).await.unwrap()),
            Action::Advance { minutes } => drop(shop.clock.advance(Duration::from_mins(minutes))),
            Action::Charge { user, amount } => {
                shop.commerce.charge(users[user], ChargeAmount::new(amount).unwrap()).await.unwrap();
            }
            Action::Adjust { option, delta } => {
                let _refusal = shop.commerce.adjust_stock(options[option], delta, "count").await;
            }
            Action::Deliver(group) => shop.deliver(group).await,
            Action::Repeat => shop.repeat_history().await,
            Action::Retell => shop.retell_history().await,
            Action::Fault(fault) => shop.faults.script([Some(fault)]),
        }
    }

    /// Compares what is stored with the model.
    fn compare(&self, books: &Books, model: &Model, after: &str) {
        let values = |ids: &[UserId]| ids.iter().map(|id| books.balances[id]).collect::<Vec<_>>();
        assert_eq!(values(&self.users), model.balances, "balances after {after}");
        assert_eq!(self.options.iter().map(|id| books.stock[id]).collect::<Vec<_>>(), model.stock, "stock after {after}");
        let held: Vec<_> = self.coupons.iter().map(|id| books.held_coupons[id]).collect();
        assert_eq!(held, model.coupons.iter().map(|order| order.map(Self::order)).collect::<Vec<_>>(), "coupons after {after}");
        assert_eq!(books.orders.values().copied().collect::<Vec<_>>(), model.orders(), "orders after {after}");
    }
}

/// Lets everything come to rest in both.
async fn settle(world: &World, model: &mut Model) {
    while !model.quiet() {
        for group in SAGA {
            model.deliver(group);
        }
    }
    // The groups take turns in the same order as in the model.
    world.shop.settle().await;
}

async fn play(actions: &[Action], misbehaves: Option<u64>) {
    let (mut world, mut model) = (World::create().await, Model::new());
    if let Some(seed) = misbehaves {
        world.shop.bus.misbehave(seed);
    }
    let payment_deadline = world.shop.commerce.settings().payment_deadline;
    for action in actions {
        match action {
            Action::Place { .. } if model.orders().len() == ORDERS_MAX => continue,
            // A fact is told under another id only by a log that outlived the inbox: nothing of that age is under way.
            Action::Retell => settle(&world, &mut model).await,
            Action::Deliver(group) => model.deliver(*group),
            _ => {}
        }
        model.act(action, payment_deadline);
        world.act(action).await;
        world.compare(&Books::under_way(&world.shop).await, &model, &format!("{action:?}"));
        if matches!(action, Action::Retell) {
            settle(&world, &mut model).await;
        }
    }
    settle(&world, &mut model).await;
    world.compare(&Books::close(&world.shop).await, &model, "everything has settled");
    assert_eq!(world.shop.dead_letters().await, 0, "nothing was put aside");
}

proptest! {
    #[test]
    fn any_history_of_orders_ends_as_a_plain_model_says(actions in vec(action(), 1..50), misbehaves in option::of(any::<u64>())) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(&actions, misbehaves));
    }
}

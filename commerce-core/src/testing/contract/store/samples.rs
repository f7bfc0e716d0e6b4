//! Domain values by number, and shops to begin with.

use crate::coupon::{Coupon, CouponName, CouponRequest, Discount, Position, RequestOutcome, UserCoupon, UserCouponState};
use crate::messaging::{Event, NewEvent, OrderConfirmed};
use crate::order::{Order, OrderItem, Quantity};
use crate::payment::{Payment, PaymentMethod, PaymentStatus};
use crate::point::PointAccount;
use crate::product::{Category, OptionName, Product, ProductDescription, ProductName, ProductOption, UnitPrice};
use crate::stock::{Stock, StockQuantity};
use crate::store::{Backoff, Store, StoreError, UnitOfWork};
use crate::testing::SeededRandom;
use crate::user::{Email, PasswordHash, Role, User, UserName};
use crate::{InvalidId, Money, Timestamp};
use std::time::Duration;

/// How many rows a statement is given: one, two, and numbers that adapters split into several statements.
pub(super) const BATCHES: [i64; 4] = [1, 2, 37, 300];

/// When everything in the samples happens.
pub(in crate::testing::contract) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_123);

pub(in crate::testing::contract) fn id<Id: TryFrom<i64, Error = InvalidId>>(number: i64) -> Id {
    Id::try_from(number).expect("samples have valid ids")
}

pub(super) fn ids<Id: TryFrom<i64, Error = InvalidId>>(count: i64) -> Vec<Id> {
    (1..=count).map(id).collect()
}

pub(super) fn krw(amount: i64) -> Money {
    Money::new(amount).expect("samples have valid amounts")
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Runs `work` in a unit of work and commits it.
pub(super) async fn attempt<T>(
    store: &dyn Store,
    work: impl AsyncFnOnce(&mut dyn UnitOfWork) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut uow = store.begin().await?;
    let value = work(uow.as_mut()).await?;
    uow.commit().await.map(|()| value)
}

/// Runs `work` in a unit of work and commits it; nothing may fail.
pub(in crate::testing::contract) async fn write<T>(
    store: &dyn Store,
    work: impl AsyncFnOnce(&mut dyn UnitOfWork) -> Result<T, StoreError>,
) -> T {
    attempt(store, work).await.expect("the unit of work is free of conflicts")
}

/// What `work` comes to when it is done by many at once, each again and again until nobody comes between.
pub(super) async fn at_once<T>(count: usize, work: impl AsyncFn() -> Result<T, StoreError>) -> Vec<T> {
    let random = SeededRandom::new(1);
    let until_done = async || {
        let mut failures = 0;
        loop {
            match work().await {
                Ok(done) => return done,
                Err(error) => assert!(error.is_contention(), "only contention is expected: {error:?}"),
            }
            failures += 1;
            tokio::time::sleep(Backoff::STORE.jitter(failures, &random)).await;
        }
    };
    futures_util::future::join_all((0..count).map(|_| until_done())).await
}

pub(super) fn user(number: i64) -> User {
    User {
        id: id(number),
        name: UserName::parse(&format!("User {number}")).expect("a valid name"),
        email: Email::parse(&format!("user{number}@Shop.kr")).expect("a valid address"),
        password_hash: PasswordHash::new(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${number}")),
        role: if number % 2 == 0 { Role::Admin } else { Role::Customer },
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(super) fn account(number: i64) -> PointAccount {
    PointAccount::open(id(number))
}

/// A product with two options: product n has the options 2n−1 and 2n.
pub(super) fn product(number: i64) -> Product {
    let option = |option: i64| ProductOption {
        id: id(option),
        name: OptionName::parse(&format!("Option {option}")).expect("a valid name"),
        price: UnitPrice::new(option * 100).expect("a valid price"),
        stock: StockQuantity::new(1_000).expect("a valid stock"),
    };
    Product {
        id: id(number),
        name: ProductName::parse(&format!("Product {number}")).expect("a valid name"),
        category: Category::ALL[usize::try_from(number % 5).expect("a small number")],
        description: ProductDescription::parse(&format!("This is product {number}")).expect("a valid description"),
        options: vec![option(2 * number - 1), option(2 * number)],
        created_at: NOW,
    }
}

pub(in crate::testing::contract) fn coupon(number: i64) -> Coupon {
    Coupon {
        id: id(number),
        name: CouponName::parse(&format!("Coupon {number}")).expect("a valid name"),
        discount: if number % 2 == 0 { Discount::Percent(10) } else { Discount::Fixed(krw(500)) },
        initial_stock: 1_000,
        issued: 0,
        opens_at: (number % 3 == 0).then_some(NOW),
        expires_at: NOW.plus(seconds(86_400)),
        created_at: NOW,
    }
}

/// The coupon `coupon` in the hands of user `number`, at position `number`.
pub(super) fn user_coupon(number: i64, coupon: i64) -> UserCoupon {
    UserCoupon {
        id: id(number),
        user_id: id(number),
        coupon_id: id(coupon),
        state: UserCouponState::Issued,
        position: Position::new(u32::try_from(number).expect("a small number")).expect("a place above 0"),
        task_id: id(number),
        issued_at: NOW,
    }
}

/// A request of user `number` for coupon 1, a second after the one before, that is not decided.
pub(super) fn request(number: i64) -> CouponRequest {
    CouponRequest {
        task_id: id(number),
        coupon_id: id(1),
        user_id: id(number),
        user_coupon_id: id(number),
        position: Position::new(u32::try_from(number).expect("a small number")).expect("a place above 0"),
        admitted_at: NOW.plus(seconds(u64::try_from(number).expect("a small number"))),
        outcome: RequestOutcome::Pending,
    }
}

/// As many requests as `count` says, from that of user `first` on.
pub(super) fn requests(first: i64, count: i64) -> Vec<CouponRequest> {
    (first..first + count).map(request).collect()
}

/// The request of user `number` once its coupon is issued.
pub(super) fn decided(number: i64) -> CouponRequest {
    let pending = request(number);
    CouponRequest { outcome: RequestOutcome::Issued { at: pending.admitted_at.plus(seconds(1)) }, ..pending }
}

/// Order `number` of user 1, a second after the order before.
pub(super) fn order(number: i64) -> Order {
    let ordered_at = NOW.plus(seconds(u64::try_from(number).expect("a small number")));
    Order::place(id(number), id(1), None, ordered_at, ordered_at.plus(seconds(900)))
}

/// `quantity` units of the first option of a product.
pub(super) fn item(number: i64, quantity: i64) -> OrderItem {
    let Product { id: product_id, name: product_name, mut options, .. } = product(number);
    let ProductOption { id: option_id, name: option_name, price: unit_price, .. } = options.swap_remove(0);
    let quantity = Quantity::new(quantity).expect("a valid quantity");
    OrderItem { option_id, product_id, product_name, option_name, unit_price, quantity }
}

/// A payment of order `number` that is completed.
pub(super) fn payment(number: i64) -> Payment {
    Payment {
        id: id(number),
        order_id: id(number),
        user_id: id(1),
        method: PaymentMethod::Point,
        amount: krw(number * 100),
        status: PaymentStatus::Completed,
        failure: None,
        at: NOW,
    }
}

/// An event of order `number`.
pub(super) fn event(number: i64) -> NewEvent {
    let event = Event::OrderConfirmed(OrderConfirmed { order_id: id(number), total: krw(number) });
    let trace_parent = (number % 2 == 0).then(|| "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    NewEvent { occurred_at: NOW, trace_parent, event }
}

/// Makes `count` users with their accounts.
pub(in crate::testing::contract) async fn with_users(store: &dyn Store, count: i64) {
    let (users, accounts): (Vec<_>, Vec<_>) = (1..=count).map(|number| (user(number), account(number))).unzip();
    write(store, async |uow| {
        uow.users().insert(&users).await?;
        uow.points().open(&accounts).await
    })
    .await;
}

/// Makes `count` products with 1,000 units of each option.
pub(super) async fn with_products(store: &dyn Store, count: i64) {
    let products: Vec<_> = (1..=count).map(product).collect();
    let options = products.iter().flat_map(|product| &product.options);
    let (stock, entries): (Vec<_>, Vec<_>) = options.map(|option| Stock::open(option.id, option.stock, NOW)).unzip();
    write(store, async |uow| {
        uow.products().insert(&products).await?;
        uow.stock().open(&stock, &entries).await
    })
    .await;
}

/// Makes user 1 with `count` orders.
pub(super) async fn with_orders(store: &dyn Store, count: i64) {
    with_users(store, 1).await;
    let orders: Vec<_> = (1..=count).map(order).collect();
    write(store, async |uow| uow.orders().insert(&orders).await).await;
}

/// Makes `count` coupons.
pub(super) async fn with_coupons(store: &dyn Store, count: i64) {
    let coupons: Vec<_> = (1..=count).map(coupon).collect();
    write(store, async |uow| uow.coupons().insert(&coupons).await).await;
}

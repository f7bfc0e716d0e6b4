//! The ways in which an order can end, each as a script that a test plays.

use crate::books::Books;
use crate::shop::Shop;
use commerce_core::coupon::UserCouponStatus;
use commerce_core::order::OrderStatus;
use commerce_core::user::Actor;
use commerce_core::{OptionId, OrderId, UserCouponId, UserId};
use std::time::Duration;

/// How the order of a scene ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    StockRejected,
    CouponRejected,
    Awaiting,
    Paid,
    Cancelled,
    Expired,
    Refunded,
}

/// A buyer with 10,000 points and a coupon of 10 %, two options with 5 units at 1,000 each, and an order of 2 and 3 of them.
pub(super) struct Scene {
    pub(super) shop: Shop,
    pub(super) buyer: UserId,
    pub(super) coupon: UserCouponId,
    pub(super) options: [OptionId; 2],
}

impl Scene {
    pub(super) async fn set() -> Self {
        let shop = Shop::open();
        let buyer = shop.user(10_000).await;
        let coupon = shop.coupon(buyer).await;
        let options = [shop.option(1_000, 5).await, shop.option(1_000, 5).await];
        Self { shop, buyer, coupon, options }
    }
}

impl Ending {
    pub(super) const ALL: [Self; 7] =
        [Self::StockRejected, Self::CouponRejected, Self::Awaiting, Self::Paid, Self::Cancelled, Self::Expired, Self::Refunded];

    /// Plays an order up to this ending; `settle` is called whenever the saga is to go on.
    pub(super) async fn play(self, scene: &Scene, settle: impl AsyncFn(&Shop)) -> OrderId {
        let Scene { shop, buyer, coupon, options } = scene;
        if self == Self::CouponRejected {
            shop.clock.advance(Duration::from_hours(24));
        }
        let second = if self == Self::StockRejected { 6 } else { 3 };
        let order = shop.place(*buyer, &[(options[0], 2), (options[1], second)], Some(*coupon)).await;
        settle(shop).await;
        match self {
            Self::StockRejected | Self::CouponRejected | Self::Awaiting => {}
            Self::Paid => drop(shop.commerce.pay(order, *buyer).await.unwrap()),
            Self::Cancelled => drop(shop.commerce.cancel_order(order, Actor::Customer(*buyer)).await.unwrap()),
            Self::Expired => {
                shop.clock.advance(shop.commerce.settings().payment_deadline);
                assert_eq!(shop.commerce.expire_orders(10, &[]).await.unwrap(), 1);
            }
            Self::Refunded => {
                let payment = shop.commerce.pay(order, *buyer).await.unwrap();
                settle(shop).await;
                shop.commerce.refund(payment.id, Actor::Customer(*buyer)).await.unwrap();
            }
        }
        settle(shop).await;
        order
    }

    /// Checks what is left of the scene once this ending was played, and answers the books.
    pub(super) async fn check(self, scene: &Scene, order: OrderId) -> Books {
        let Scene { shop, buyer, options, .. } = scene;
        let books = Books::close(shop).await;
        let keeps = matches!(self, Self::Awaiting | Self::Paid);
        assert_eq!(books.orders[&order].0, self.status(), "{self:?}");
        assert_eq!(options.map(|option| books.stock[&option]), if keeps { [3, 2] } else { [5, 5] }, "the stock after {self:?}");
        assert_eq!(books.balances[buyer], if self == Self::Paid { 5_500 } else { 10_000 }, "the balance after {self:?}");
        let expected = match self {
            Self::Awaiting | Self::Paid => UserCouponStatus::Used,
            Self::CouponRejected => UserCouponStatus::Expired,
            _ => UserCouponStatus::Issued,
        };
        assert_eq!(shop.coupon_status(*buyer).await, expected, "the coupon after {self:?}");
        assert_eq!(shop.dead_letters().await, 0, "{self:?} puts nothing aside");
        books
    }

    const fn status(self) -> OrderStatus {
        match self {
            Self::StockRejected | Self::CouponRejected => OrderStatus::Failed,
            Self::Awaiting => OrderStatus::AwaitingPayment,
            Self::Paid => OrderStatus::Completed,
            Self::Cancelled => OrderStatus::Cancelled,
            Self::Expired => OrderStatus::Expired,
            Self::Refunded => OrderStatus::Refunded,
        }
    }
}

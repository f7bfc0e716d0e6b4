//! Who buys, and what there is to buy.

use super::Shop;
use commerce_core::coupon::{CouponName, Discount, DiscountKind, NewCoupon, Position, UserCoupon, UserCouponState};
use commerce_core::order::{OrderLine, OrderLines, Quantity};
use commerce_core::point::ChargeAmount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, Product, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::StockQuantity;
use commerce_core::store::Store;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Clock, OptionId, OrderId, Sequence, TaskId, UserCouponId, UserId};
use std::time::Duration;

impl Shop {
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
            expires_at: self.clock.now().plus(Duration::from_hours(24)),
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
        assert!(uow.coupons().take(coupon.id, 1).await.unwrap());
        uow.coupons().issue(&[held]).await.unwrap();
        uow.commit().await.unwrap();
        // The gate was not asked: it is told.
        self.commerce.open_gate(&coupon).await;
        id
    }

    pub(crate) async fn place(&self, user: UserId, units: &[(OptionId, i64)], coupon: Option<UserCouponId>) -> OrderId {
        let line = |&(option_id, units): &(OptionId, i64)| OrderLine { option_id, quantity: Quantity::new(units).unwrap() };
        let lines = OrderLines::merge(&units.iter().map(line).collect::<Vec<_>>()).unwrap();
        self.commerce.place_order(user, lines, coupon).await.unwrap().id
    }
}

//! What is on offer when a run begins, and who comes to buy.

use crate::dice::Dice;
use crate::world::World;
use commerce_core::coupon::{CouponName, Discount, DiscountKind, NewCoupon};
use commerce_core::point::ChargeAmount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::StockQuantity;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Clock, Commerce, Timestamp, UserId};
use futures_util::future::join_all;
use std::time::Duration;

const PRODUCTS: usize = 3;
const COUPONS: usize = 3;
const SECONDS: u64 = 1_000;
const DAYS: u64 = 24 * 3_600 * SECONDS;

/// A coupon as it may be offered at `now`.
pub(crate) fn some_offer(dice: &Dice, now: Timestamp) -> NewCoupon {
    let discount = if dice.chance(50) { Discount::new(DiscountKind::Percent, 20) } else { Discount::new(DiscountKind::Fixed, 1_500) };
    let life = [6 * SECONDS, 20 * 3_600 * SECONDS, 10 * DAYS, 10 * DAYS][dice.below(4)];
    NewCoupon {
        name: CouponName::parse("First come").expect("a name"),
        discount: discount.expect("a discount"),
        initial_stock: dice.between(1, 3),
        opens_at: dice.chance(20).then(|| now.plus(dice.millis(5 * SECONDS))),
        expires_at: now.plus(Duration::from_millis(life + 6 * SECONDS)),
    }
}

fn some_product(dice: &Dice) -> NewProduct {
    let option = |name: &str| NewOption {
        name: OptionName::parse(name).expect("a name"),
        price: UnitPrice::new([0, 1_000, 2_345, 7_000][dice.below(4)]).expect("a price"),
        stock: StockQuantity::new(dice.between(1, 15)).expect("a quantity"),
    };
    NewProduct {
        name: ProductName::parse("Shoe").expect("a name"),
        category: Category::Shoes,
        description: ProductDescription::parse("A shoe to walk in").expect("a description"),
        options: if dice.chance(50) { vec![option("Left")] } else { vec![option("Left"), option("Right")] },
    }
}

impl World {
    /// Puts goods and coupons on offer and registers buyers, while nothing goes wrong yet.
    pub(crate) async fn set_up(&self, dice: &Dice, buyers: usize) -> Vec<UserId> {
        let Some(process) = self.process(0) else { return Vec::new() };
        let commerce = process.commerce;
        let now = self.clock.now();
        let products = join_all((0..PRODUCTS).map(|_| commerce.create_product(some_product(dice))));
        let coupons = join_all((0..COUPONS).map(|_| commerce.create_coupon(some_offer(dice, now))));
        let users = join_all((0..buyers).map(|number| register(&commerce, number)));
        let (products, coupons, users) = futures_util::join!(products, coupons, users);
        {
            let mut catalog = self.catalog.borrow_mut();
            for product in products.into_iter().map(|product| product.expect("nothing goes wrong yet")) {
                catalog.products.push(product.id);
                catalog.options.extend(product.options.iter().map(|option| option.id));
            }
            catalog.coupons.extend(coupons.into_iter().map(|coupon| coupon.expect("nothing goes wrong yet").id));
        }
        let points =
            users.iter().filter(|_| dice.chance(60)).map(|user| commerce.charge(*user, ChargeAmount::new(9_000).expect("in range")));
        join_all(points.collect::<Vec<_>>()).await;
        users
    }
}

async fn register(commerce: &Commerce, number: usize) -> UserId {
    let (name, email) =
        (UserName::parse("Buyer").expect("a name"), Email::parse(&format!("buyer-{number}@shop.example")).expect("an address"));
    let user = commerce.register_hashed(name, email, PasswordHash::new("plain:secret".to_owned()), Role::Customer).await;
    user.expect("nothing goes wrong yet").id
}

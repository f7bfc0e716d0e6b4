use super::DemoError;
use super::clock::DemoClock;
use async_trait::async_trait;
use commerce_core::coupon::{Coupon, CouponName, Discount, DiscountKind, Position, UserCoupon, UserCouponState};
use commerce_core::point::PointAccount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, Product, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::{Stock, StockQuantity};
use commerce_core::store::{Store, StoreError, Transaction, UnitOfWork};
use commerce_core::user::{Email, PasswordHash, Role, User, UserName};
use commerce_core::{Clock, CouponId, OptionId, ProductId, Sequence, TaskId, Timestamp, UserCouponId, UserId};
use std::sync::Arc;
use std::time::Duration;

/// The customers have the ids 1 to this.
pub(super) const CUSTOMERS: i64 = 2_000;
/// The address of the demo's administrator.
pub(crate) const ADMIN_EMAIL: &str = "admin@commerce.example";
/// The password of the demo's administrator.
pub(crate) const ADMIN_PASSWORD: &str = "commerce-admin";
/// The password of every customer of the demo.
pub(crate) const CUSTOMER_PASSWORD: &str = "commerce-demo";

const PLENTY: i64 = 200_000;
/// What is on the shelf of the option that the demo's sales sell out.
pub(super) const SCARCE: i64 = 12;
const SOLD_OUT_COUPONS: u32 = 10;

struct Shelf {
    name: &'static str,
    category: Category,
    description: &'static str,
    options: &'static [(&'static str, i64, i64)],
}

/// The products: name, description, and the options with their price in KRW and their stock. Whatever is scarce is never the first option.
const SHELVES: [Shelf; 12] = [
    Shelf {
        name: "Rain Jacket",
        category: Category::Clothing,
        description: "A light jacket that keeps the rain out on the way to work.",
        options: &[("S", 89_000, PLENTY), ("M", 89_000, PLENTY), ("L", 89_000, PLENTY), ("XL", 92_000, PLENTY)],
    },
    Shelf {
        name: "Linen Shirt",
        category: Category::Clothing,
        description: "A loose shirt of washed linen for hot days.",
        options: &[("White", 45_000, PLENTY), ("Navy", 45_000, PLENTY)],
    },
    Shelf {
        name: "Wool Socks",
        category: Category::Clothing,
        description: "Thick socks of merino wool, three pairs in a box.",
        options: &[("One size", 12_000, PLENTY)],
    },
    Shelf {
        name: "Trail Runner",
        category: Category::Shoes,
        description: "A running shoe with a grippy sole for mud and gravel.",
        options: &[("260", 129_000, PLENTY), ("270", 129_000, PLENTY), ("280 limited", 250_000, SCARCE)],
    },
    Shelf {
        name: "Canvas Sneaker",
        category: Category::Shoes,
        description: "A plain sneaker of cotton canvas that goes with everything.",
        options: &[("250", 39_000, PLENTY), ("265", 39_000, PLENTY)],
    },
    Shelf {
        name: "Jeju Tangerines",
        category: Category::Food,
        description: "Sweet tangerines from Jeju, three kilograms in a box.",
        options: &[("3 kg", 18_000, PLENTY), ("5 kg", 28_000, PLENTY)],
    },
    Shelf {
        name: "Roasted Coffee",
        category: Category::Food,
        description: "Beans from a small roastery, ground on the day they are sent.",
        options: &[("Beans", 16_000, PLENTY), ("Filter", 16_000, PLENTY), ("Espresso", 16_000, PLENTY)],
    },
    Shelf {
        name: "Seaweed Snack",
        category: Category::Food,
        description: "Crisp roasted seaweed with a little sea salt.",
        options: &[("12 packs", 1_000, PLENTY)],
    },
    Shelf {
        name: "Noise Cancelling Buds",
        category: Category::Digital,
        description: "Earbuds that leave the subway outside for eight hours.",
        options: &[("Black", 189_000, PLENTY), ("White", 189_000, PLENTY)],
    },
    Shelf {
        name: "Mechanical Keyboard",
        category: Category::Digital,
        description: "A compact keyboard with quiet switches and a metal case.",
        options: &[("Brown switches", 149_000, PLENTY), ("Red switches", 149_000, PLENTY)],
    },
    Shelf {
        name: "Sun Cream SPF 50",
        category: Category::Beauty,
        description: "A light sun cream that leaves no white film.",
        options: &[("50 ml", 22_000, PLENTY)],
    },
    Shelf {
        name: "Rice Toner",
        category: Category::Beauty,
        description: "A mild toner with fermented rice for dry skin.",
        options: &[("150 ml", 19_000, PLENTY), ("300 ml", 31_000, PLENTY)],
    },
];

/// How many products the demo sells.
pub(super) const PRODUCTS: usize = SHELVES.len();

/// The address of customer `number`.
pub(super) fn customer_email(number: i64) -> Result<Email, DemoError> {
    Email::parse(&format!("customer{number}@commerce.example")).map_err(DemoError::refused)
}

/// The ids the catalogue uses, apart from those of the customers.
pub(super) struct CatalogIds {
    products: Vec<i64>,
    options: Vec<i64>,
    coupons: Vec<i64>,
    user_coupons: Vec<i64>,
    tasks: Vec<i64>,
}

/// Customers, products and coupons, written in one unit of work.
pub(super) struct Catalog {
    pub(super) clock: Arc<DemoClock>,
    pub(super) customer_hash: PasswordHash,
    pub(super) ids: CatalogIds,
}

impl Catalog {
    /// Takes the ids of the catalogue, and those of the customers.
    pub(super) async fn lease_ids(store: &dyn Store) -> Result<CatalogIds, StoreError> {
        store.lease_ids(Sequence::User, u32::try_from(CUSTOMERS).unwrap_or(u32::MAX)).await?;
        let options: usize = SHELVES.iter().map(|shelf| shelf.options.len()).sum();
        Ok(CatalogIds {
            products: lease(store, Sequence::Product, PRODUCTS).await?,
            options: lease(store, Sequence::Option, options).await?,
            coupons: lease(store, Sequence::Coupon, 4).await?,
            user_coupons: lease(store, Sequence::UserCoupon, SOLD_OUT_COUPONS as usize).await?,
            tasks: lease(store, Sequence::Task, SOLD_OUT_COUPONS as usize).await?,
        })
    }

    fn customers(&self, now: Timestamp) -> Result<Vec<User>, DemoError> {
        (1..=CUSTOMERS)
            .map(|number| {
                Ok(User {
                    id: UserId::new(number).map_err(DemoError::refused)?,
                    name: UserName::parse(&format!("Customer {number}")).map_err(DemoError::refused)?,
                    email: customer_email(number)?,
                    password_hash: self.customer_hash.clone(),
                    role: Role::Customer,
                    created_at: now,
                    updated_at: now,
                })
            })
            .collect()
    }

    fn products(&self, now: Timestamp) -> Result<Vec<Product>, DemoError> {
        let mut options = self.ids.options.iter().copied();
        let product = |(shelf, &id): (&Shelf, &i64)| {
            let ids: Result<Vec<_>, _> = options.by_ref().take(shelf.options.len()).map(OptionId::new).collect();
            let id = ProductId::new(id).map_err(DemoError::refused)?;
            Product::create(id, &ids.map_err(DemoError::refused)?, shelf.product()?, now).map_err(DemoError::refused)
        };
        SHELVES.iter().zip(&self.ids.products).map(product).collect()
    }

    /// One open for a percentage, one open for a fixed amount, one sold out, one expired.
    fn coupons(&self, now: Timestamp) -> Result<Vec<Coupon>, DemoError> {
        let (made_at, in_a_month) = (now.minus(Duration::from_hours(7 * 24)), now.plus(Duration::from_hours(30 * 24)));
        let yesterday = now.minus(Duration::from_hours(24));
        let offers = [
            ("Welcome 10 percent", DiscountKind::Percent, 10, 1_000, 0, in_a_month),
            ("5,000 off", DiscountKind::Fixed, 5_000, 100, 0, in_a_month),
            ("Early birds", DiscountKind::Percent, 30, SOLD_OUT_COUPONS, SOLD_OUT_COUPONS, in_a_month),
            ("Last season", DiscountKind::Fixed, 3_000, 100, 0, yesterday),
        ];
        let coupon = |((name, kind, value, initial_stock, issued, expires_at), &id): ((&str, _, _, _, _, _), &i64)| {
            Ok(Coupon {
                id: CouponId::new(id).map_err(DemoError::refused)?,
                name: CouponName::parse(name).map_err(DemoError::refused)?,
                discount: Discount::new(kind, value).map_err(DemoError::refused)?,
                initial_stock,
                issued,
                opens_at: None,
                expires_at,
                created_at: made_at,
            })
        };
        offers.into_iter().zip(&self.ids.coupons).map(coupon).collect()
    }

    /// Those who came first for the coupon that is sold out.
    fn user_coupons(&self, coupon_id: CouponId, now: Timestamp) -> Result<Vec<UserCoupon>, DemoError> {
        let issued = |((place, &id), &task): ((u32, &i64), &i64)| {
            Ok(UserCoupon {
                id: UserCouponId::new(id).map_err(DemoError::refused)?,
                user_id: UserId::new(i64::from(place)).map_err(DemoError::refused)?,
                coupon_id,
                state: UserCouponState::Issued,
                position: Position::new(place).ok_or_else(|| DemoError::refused("places begin at 1"))?,
                task_id: TaskId::new(task).map_err(DemoError::refused)?,
                issued_at: now,
            })
        };
        (1..=SOLD_OUT_COUPONS).zip(&self.ids.user_coupons).zip(&self.ids.tasks).map(issued).collect()
    }
}

impl Shelf {
    fn product(&self) -> Result<NewProduct, DemoError> {
        let option = |&(name, price, stock): &(&str, i64, i64)| {
            Ok(NewOption {
                name: OptionName::parse(name).map_err(DemoError::refused)?,
                price: UnitPrice::new(price).map_err(DemoError::refused)?,
                stock: StockQuantity::new(stock).map_err(DemoError::refused)?,
            })
        };
        Ok(NewProduct {
            name: ProductName::parse(self.name).map_err(DemoError::refused)?,
            category: self.category,
            description: ProductDescription::parse(self.description).map_err(DemoError::refused)?,
            options: self.options.iter().map(option).collect::<Result<_, DemoError>>()?,
        })
    }
}

async fn lease(store: &dyn Store, sequence: Sequence, count: usize) -> Result<Vec<i64>, StoreError> {
    let block = store.lease_ids(sequence, u32::try_from(count).unwrap_or(u32::MAX)).await?;
    Ok((block.first..).take(count).collect())
}

#[async_trait]
impl Transaction for Catalog {
    type Output = ();

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        let now = self.clock.now();
        let invalid = |error: DemoError| StoreError::Corrupt(error.to_string());
        let customers = self.customers(now).map_err(invalid)?;
        let accounts: Vec<_> = customers.iter().map(|customer| PointAccount::open(customer.id)).collect();
        uow.users().insert(&customers).await?;
        uow.points().open(&accounts).await?;

        let products = self.products(now).map_err(invalid)?;
        let options = products.iter().flat_map(|product| &product.options);
        let (stock, entries): (Vec<_>, Vec<_>) = options.map(|option| Stock::open(option.id, option.stock, now)).unzip();
        uow.products().insert(&products).await?;
        uow.stock().open(&stock, &entries).await?;

        let coupons = self.coupons(now).map_err(invalid)?;
        uow.coupons().insert(&coupons).await?;
        for sold_out in coupons.iter().filter(|coupon| coupon.issued > 0) {
            uow.coupons().issue(&self.user_coupons(sold_out.id, now).map_err(invalid)?).await?;
        }
        Ok(())
    }
}

//! A flash sale inside one program: 20,000 buyers race for 1,000 units of one option and for one coupon of 500, all at once.
//!
//! ```text
//! cargo run --release --example flash_sale              # 20,000 buyers
//! cargo run --release --example flash_sale -- 5000      # another number of them
//! ```
//!
//! Everything is done through the library, on one SQLite file whose every commit is synced to the disk. It ends with an audit, and with exit code 1
//! unless exactly the stock was sold and exactly the coupons were issued.

mod buyer;
mod table;

use crate::buyer::{Sale, race};
use crate::table::Table;
use commerce_adapters::embedded::EmbeddedParts;
use commerce_adapters::runtime::Progress;
use commerce_adapters::sqlite::SqliteOptions;
use commerce_core::audit::AuditOptions;
use commerce_core::coupon::{CouponName, Discount, NewCoupon};
use commerce_core::messaging::Group;
use commerce_core::point::ChargeAmount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::StockQuantity;
use commerce_core::store::GroupCommitLimits;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Commerce, Settings, UserId};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const BUYERS: usize = 20_000;
const UNITS: u32 = 1_000;
const COUPONS: u32 = 500;
const PRICE: i64 = 50_000;
/// How many are registered at once.
const REGISTERED_AT_ONCE: usize = 2_000;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let buyers = std::env::args().nth(1).map_or(Ok(BUYERS), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let embedded = EmbeddedParts::open_alone(SqliteOptions::new(folder.path().join("shop.db"))).await?;
    // Everybody comes at once: nobody is to be refused because too many wait.
    let group_commit = GroupCommitLimits { waiting_commands_max: buyers, ..GroupCommitLimits::default() };
    let shop = Commerce::open(embedded.parts().clone(), Settings { group_commit, ..Settings::default() });
    shop.start_consumers(&Group::ALL);
    shop.start_scheduler();

    let mut progress = Progress::begin("flash sale");
    let users = register(&shop, buyers, &mut progress).await?;
    let sale = offer(&shop).await?;
    let begin = Instant::now();
    let outcomes = race(&shop, sale, &users, &mut progress).await?;
    let lasting = begin.elapsed();
    progress.end();

    let table = Table::of(&outcomes, lasting);
    table.print();
    let left = shop.product(sale.product).await?.map_or(0, |product| product.options[0].stock.units());
    let issued = shop.queries().coupon(sale.coupon).await?.map_or(0, |coupon| coupon.issued);
    println!("stock: {left} of {UNITS} units are left; coupons: {issued} of {COUPONS} are issued");
    let report = shop.audit(AuditOptions::default(), &mut |_| {}).await?;
    report.violations.iter().for_each(|violation| println!("{violation}"));
    println!("audit: {}", if report.is_clean() { "clean" } else { "NOT CLEAN" });
    shop.shutdown().await;
    embedded.close().await?;

    let demand = u32::try_from(buyers).unwrap_or(u32::MAX);
    let exact = table.paid() == u64::from(UNITS.min(demand)) && u64::from(issued) == u64::from(COUPONS.min(demand));
    Ok(if exact && report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Registers buyers who can pay.
async fn register(shop: &Commerce, buyers: usize, progress: &mut Progress) -> anyhow::Result<Vec<UserId>> {
    let one = async |number: usize| {
        let (name, email) = (UserName::parse("Buyer")?, Email::parse(&format!("buyer{number}@shop.example"))?);
        let hash = PasswordHash::new("none: nobody logs in".to_owned());
        let user = shop.register_hashed(name, email, hash, Role::Customer).await?;
        shop.charge(user.id, ChargeAmount::new(PRICE)?).await?;
        anyhow::Ok(user.id)
    };
    let mut users = Vec::with_capacity(buyers);
    let mut registered = stream::iter(0..buyers).map(one).buffer_unordered(REGISTERED_AT_ONCE);
    while let Some(user) = registered.try_next().await? {
        users.push(user);
        progress.at("the buyers come", users.len() as u64, buyers as u64);
    }
    Ok(users)
}

/// Puts on sale what everybody wants.
async fn offer(shop: &Commerce) -> anyhow::Result<Sale> {
    let option =
        NewOption { name: OptionName::parse("Limited")?, price: UnitPrice::new(PRICE)?, stock: StockQuantity::new(i64::from(UNITS))? };
    let (name, description) = (ProductName::parse("Trail Runner")?, ProductDescription::parse("A shoe for mud and gravel.")?);
    let product = shop.create_product(NewProduct { name, category: Category::Shoes, description, options: vec![option] }).await?;
    let coupon = NewCoupon {
        name: CouponName::parse("First come")?,
        discount: Discount::Percent(20),
        initial_stock: i64::from(COUPONS),
        opens_at: None,
        expires_at: shop.parts().clock.now().plus(Duration::from_hours(1)),
    };
    Ok(Sale { product: product.id, option: product.options[0].id, coupon: shop.create_coupon(coupon).await?.id })
}

//! A working shop inside another program: no server, no HTTP, one file.

use commerce_adapters::embedded::EmbeddedParts;
use commerce_adapters::sqlite::SqliteOptions;
use commerce_core::audit::AuditOptions;
use commerce_core::messaging::Group;
use commerce_core::order::{OrderLine, OrderLines, Quantity};
use commerce_core::point::ChargeAmount;
use commerce_core::product::{Category, NewOption, NewProduct, OptionName, ProductDescription, ProductName, UnitPrice};
use commerce_core::stock::StockQuantity;
use commerce_core::user::{Email, Password, UserName};
use commerce_core::{Commerce, Settings};
use std::time::Duration;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let embedded = EmbeddedParts::open_alone(SqliteOptions::new(folder.path().join("shop.db"))).await?;
    let shop = Commerce::open(embedded.parts().clone(), Settings::default());
    shop.start_consumers(&Group::ALL);
    shop.start_scheduler();

    let option = NewOption { name: OptionName::parse("270")?, price: UnitPrice::new(129_000)?, stock: StockQuantity::new(5)? };
    let (name, description) = (ProductName::parse("Trail Runner")?, ProductDescription::parse("A shoe for mud and gravel.")?);
    let product = shop.create_product(NewProduct { name, category: Category::Shoes, description, options: vec![option] }).await?;
    let buyer = shop.register(UserName::parse("Kim")?, Email::parse("kim@shop.example")?, &Password::parse("correct horse")?).await?;
    println!("balance after the charge: {}", shop.charge(buyer.id, ChargeAmount::new(300_000)?).await?);

    let lines = OrderLines::merge(&[OrderLine { option_id: product.options[0].id, quantity: Quantity::new(2)? }])?;
    let order = shop.place_order(buyer.id, lines, None).await?;
    let settled = shop.order_once_settled(order.id, Duration::from_secs(5)).await?;
    println!("the order is {}", settled.map_or_else(|| "gone".into(), |view| view.order.status.to_string()));
    let payment = shop.pay(order.id, buyer.id).await?;
    println!("paid {}: payment {} is {}", payment.amount, payment.id, payment.status);

    let report = shop.audit(AuditOptions::default(), &mut |_| {}).await?;
    println!("audit: {} violations", report.violations.len());
    shop.shutdown().await;
    Ok(embedded.close().await?)
}

use commerce_adapters::runtime::{DemoOutcome, EmbeddedShop, Failure, SharedArgs, fill_demo};

pub(crate) async fn migrate(shared: &SharedArgs) -> Result<(), Failure> {
    let shop = EmbeddedShop::open_beside(shared).await?;
    println!("the schema is up to date: version {}", shop.schema_version().await?);
    shop.close().await
}

pub(crate) async fn demo(shared: &SharedArgs) -> Result<(), Failure> {
    let shop = EmbeddedShop::open_alone(shared).await?;
    let outcome = fill_demo(shop.parts(), shared.time_zone).await;
    shop.close().await?;
    match outcome? {
        DemoOutcome::Filled => println!("the demo shop is ready"),
        DemoOutcome::AlreadyThere => println!("the demo shop is there already: nothing was changed"),
        DemoOutcome::InUse => return Err(Failure::Bad("the database has users: the demo fills an empty one only".into())),
    }
    Ok(())
}

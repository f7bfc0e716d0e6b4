use commerce_adapters::runtime::{self, DemoOutcome, Failure, OpenShop, Presence, SharedArgs, fill_demo, say};

pub(crate) async fn migrate(shared: &SharedArgs) -> Result<(), Failure> {
    runtime::migrate(shared).await?;
    say("the schema is up to date");
    Ok(())
}

pub(crate) async fn demo(shared: &SharedArgs) -> Result<(), Failure> {
    let shop = OpenShop::open(shared, Presence::Alone).await?;
    let outcome = fill_demo(&shop, shared).await;
    shop.close().await?;
    match outcome? {
        DemoOutcome::Filled => say("the demo shop is ready"),
        DemoOutcome::AlreadyThere => say("the demo shop is there already: nothing was changed"),
        DemoOutcome::InUse => return Err(Failure::Bad("the database has users: the demo fills an empty one only".into())),
    }
    Ok(())
}

//! Those who ask for the coupon.

use crate::place::Place;
use clap::Parser;
use commerce_adapters::runtime::{OpenShop, Presence, SharedArgs};
use commerce_core::Commerce;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use futures_util::future::try_join_all;

/// How many customers are registered at once.
const REGISTERED_AT_ONCE: u64 = 5_000;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    shared: SharedArgs,
}

/// Registers customers through the library, far faster than their passwords could be hashed; answers the id of the first. Their ids are adjacent.
pub(super) async fn register(place: &Place, customers: u64) -> anyhow::Result<i64> {
    let options = [vec!["customers".to_owned()], place.arguments()].concat();
    let Options { shared } = Options::try_parse_from(options)?;
    let opened = OpenShop::open(&shared, Presence::Alone).await.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let shop = Commerce::open(opened.parts().clone(), opened.settings(&shared));
    let mut ids = Vec::new();
    for first in (0..customers).step_by(usize::try_from(REGISTERED_AT_ONCE)?) {
        let one = async |number: u64| {
            let (name, email) = (UserName::parse("Racer")?, Email::parse(&format!("racer{number}@shop.example"))?);
            let user = shop.register_hashed(name, email, PasswordHash::new("none: nobody logs in".to_owned()), Role::Customer).await?;
            anyhow::Ok(user.id.get())
        };
        ids.extend(try_join_all((first..customers.min(first + REGISTERED_AT_ONCE)).map(one)).await?);
    }
    shop.shutdown().await;
    opened.close().await.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    ids.sort_unstable();
    anyhow::ensure!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "the ids of the customers are not adjacent");
    ids.first().copied().ok_or_else(|| anyhow::anyhow!("there are no customers"))
}

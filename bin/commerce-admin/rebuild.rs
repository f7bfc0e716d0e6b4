use commerce_adapters::runtime::{Failure, OpenShop, Presence, Progress, SharedArgs, Topology, say};
use commerce_core::coupon::{Coupon, GateRebuild};
use commerce_core::messaging::Group;
use commerce_core::ranking::{RankingError, RankingKeeper, WINDOW_DAYS};
use commerce_core::{BusinessDay, Commerce, CouponId};
use std::time::Duration;

/// How long the server of a shop in one file may take to hear of a wish and to see to it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The options of `rebuild-gate`.
#[derive(clap::Args)]
pub(crate) struct GateArguments {
    /// The id of the coupon
    #[arg(value_parser = coupon)]
    coupon: CouponId,
}

/// The options of `rebuild-ranking`.
#[derive(clap::Args)]
pub(crate) struct RankingArguments {
    /// The day to count anew, YYYY-MM-DD [default: today and the days the ranking shows]
    #[arg(long, env = "COMMERCE_DAY", value_name = "YYYY-MM-DD", value_parser = day)]
    day: Option<BusinessDay>,

    /// Count by the days of another --time-zone than until now; stop every other program of the shop first
    #[arg(long, conflicts_with = "day")]
    change_time_zone: bool,
}

fn coupon(id: &str) -> Result<CouponId, String> {
    let id: i64 = id.parse().map_err(|_| "a coupon is named by its id, a number".to_owned())?;
    CouponId::new(id).map_err(|invalid| invalid.to_string())
}

fn day(text: &str) -> Result<BusinessDay, String> {
    BusinessDay::parse(text).ok_or_else(|| "write a day as YYYY-MM-DD".to_owned())
}

/// A shop in one file has its gates in the memory of its server, which is asked to rebuild one; where there is no server, there is no gate.
pub(crate) async fn gate(shared: &SharedArgs, GateArguments { coupon }: GateArguments) -> Result<(), Failure> {
    let shop = OpenShop::open(shared, Presence::AloneIfPossible).await?;
    let commerce = Commerce::open(shop.parts().clone(), shop.settings(shared));
    let outcome = rebuild_gate(&shop, &commerce, coupon).await;
    commerce.shutdown().await;
    shop.close().await?;
    say(outcome?);
    Ok(())
}

async fn rebuild_gate(shop: &OpenShop, commerce: &Commerce, coupon: CouponId) -> Result<String, Failure> {
    stored(commerce, coupon).await?;
    match shop.topology() {
        Topology::Servers => rebuild_within_reach(commerce, coupon).await,
        Topology::OneFileBeside => rebuild_in_the_server(shop, commerce, coupon).await,
        Topology::OneFileAlone => Ok(format!("nobody runs this shop: the gate of coupon {coupon} is rebuilt whenever commerce-api starts")),
    }
}

async fn stored(commerce: &Commerce, coupon: CouponId) -> Result<Coupon, Failure> {
    let stored = commerce.queries().coupon(coupon).await.map_err(|error| Failure::missing("cannot read the database", &error))?;
    stored.ok_or_else(|| Failure::Bad(format!("coupon {coupon} does not exist")))
}

async fn rebuild_within_reach(commerce: &Commerce, coupon: CouponId) -> Result<String, Failure> {
    let rebuilt = commerce.gate_keeper().rebuild(coupon).await;
    match rebuilt.map_err(|error| Failure::missing(format!("cannot rebuild the gate of coupon {coupon}"), &error))? {
        GateRebuild::Open { places } => Ok(format!("the gate of coupon {coupon} is open and knows of {places} places")),
        GateRebuild::UnknownCoupon => Err(Failure::Bad(format!("coupon {coupon} does not exist"))),
        GateRebuild::InOtherHands => Err(Failure::Missing(format!("another process rebuilds the gate of coupon {coupon} at the moment"))),
    }
}

/// The server does not say what its gate knows of: what the store does is what it was told.
async fn rebuild_in_the_server(shop: &OpenShop, commerce: &Commerce, coupon: CouponId) -> Result<String, Failure> {
    let asked = commerce.ask_for_gate(coupon).await;
    asked.map_err(|error| Failure::missing(format!("cannot ask for the gate of coupon {coupon}"), error.as_ref()))?;
    if !shop.until_handled(Group::CouponGate, PATIENCE).await? {
        return Err(Failure::Missing(format!(
            "commerce-api has not rebuilt the gate of coupon {coupon} within {} s: it does as soon as it can, and whenever it starts",
            PATIENCE.as_secs()
        )));
    }
    let issued = stored(commerce, coupon).await?.issued;
    Ok(format!("commerce-api has rebuilt the gate of coupon {coupon}: {issued} are issued"))
}

pub(crate) async fn ranking(shared: &SharedArgs, arguments: RankingArguments) -> Result<(), Failure> {
    let RankingArguments { day, change_time_zone } = arguments;
    let shop = OpenShop::open(shared, Presence::Beside).await?;
    if !change_time_zone {
        shop.check_calendar(shared).await?;
    }
    let commerce = Commerce::open(shop.parts().clone(), shop.settings(shared));
    let today = shared.time_zone.day_of(shop.parts().clock.now());
    let mut progress = Progress::begin("ranking");
    let rebuilt = rebuild(commerce.ranking_keeper(), day, today, &mut progress).await;
    progress.end();
    commerce.shutdown().await;
    shop.close().await?;
    for (day, sales) in rebuilt? {
        say(format_args!("{day}: {sales} sales"));
    }
    Ok(())
}

async fn rebuild(
    keeper: &RankingKeeper,
    day: Option<BusinessDay>,
    today: BusinessDay,
    progress: &mut Progress,
) -> Result<Vec<(BusinessDay, u64)>, Failure> {
    if let Some(day) = day.filter(|day| !keeper.keeps(*day, today)) {
        return Err(Failure::Usage(format!("no board is kept of {day}: name today, {today}, or one of the days before it")));
    }
    let days: Vec<_> = day.map_or_else(|| today.since(today.before(WINDOW_DAYS)).collect(), |day| vec![day]);
    let mut rebuilt = Vec::new();
    for (done, day) in (0..).zip(&days) {
        progress.at(&day.to_string(), done, days.len() as u64);
        rebuilt.push((*day, made(keeper.rebuild(*day, today).await)?));
    }
    // The ranking itself, where there was none to be made anew.
    made(keeper.prepare(today).await)?;
    Ok(rebuilt)
}

fn made(outcome: Result<Option<u64>, RankingError>) -> Result<u64, Failure> {
    let made = outcome.map_err(|error| Failure::missing("cannot count the sales anew", &error))?;
    made.ok_or_else(|| Failure::Missing("another process makes the ranking at the moment: try again later".into()))
}

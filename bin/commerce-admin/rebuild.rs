use commerce_adapters::runtime::{Failure, OpenShop, Presence, Progress, SharedArgs, Topology};
use commerce_core::ranking::{RankingError, RankingKeeper, WINDOW_DAYS};
use commerce_core::{BusinessDay, Commerce, CouponId};

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

/// A shop in one file has its gates in the memory of its server, and there is nothing to be done about them from here.
pub(crate) async fn gate(shared: &SharedArgs, GateArguments { coupon }: GateArguments) -> Result<(), Failure> {
    let shop = OpenShop::open(shared, Presence::Beside).await?;
    let outcome = if shop.topology() == Topology::Servers {
        rebuild_gate(&shop, shared, coupon).await
    } else {
        Err(Failure::Usage(format!(
            "the gate of coupon {coupon} is in the memory of commerce-api, which rebuilds it whenever it starts: start commerce-api again"
        )))
    };
    shop.close().await?;
    outcome
}

async fn rebuild_gate(shop: &OpenShop, shared: &SharedArgs, coupon: CouponId) -> Result<(), Failure> {
    let known = shop.parts().store.queries().coupon(coupon).await;
    if known.map_err(|error| Failure::missing("cannot read the database", &error))?.is_none() {
        return Err(Failure::Bad(format!("coupon {coupon} does not exist")));
    }
    let commerce = Commerce::open(shop.parts().clone(), shop.settings(shared));
    let rebuilt = commerce.gate_keeper().rebuild(coupon).await;
    commerce.shutdown().await;
    match rebuilt.map_err(|error| Failure::missing(format!("cannot rebuild the gate of coupon {coupon}"), &error))? {
        Some(places) => {
            println!("the gate of coupon {coupon} is open and knows of {places} places");
            Ok(())
        }
        None => Err(Failure::Missing(format!("another process rebuilds the gate of coupon {coupon} at the moment"))),
    }
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
        println!("{day}: {sales} sales");
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

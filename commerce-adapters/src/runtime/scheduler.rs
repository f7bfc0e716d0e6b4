use super::drain::everything_is_handled;
use super::server::bind;
use super::wiring::{Company, check_calendar, open_alone_or_beside};
use super::{Failure, SchedulerArgs, SharedArgs, Signals, close, open_beside, start_logging};
use crate::embedded::EmbeddedParts;
use crate::http::{AuthMode, HttpOptions, ServerLimits, install_metrics, ops_router, serve};
use commerce_core::messaging::Group;
use commerce_core::scheduler::{Job, Scheduler};
use commerce_core::{Commerce, GatePlacement, Settings};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The groups whose effects last; the others tell clients, and this process has none.
const LASTING: [Group; 6] = [Group::Stock, Group::Coupon, Group::Order, Group::CouponIssuer, Group::CouponGate, Group::Ranking];
/// How long what follows from one job may take to be handled.
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);

/// Does the jobs of a shop until a signal ends it, or one of them once.
///
/// On one file the gates are in the memory of the server, which keeps them itself: requests for coupons that are stored and not decided are
/// asked for again here, and no gate is touched.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] for a port or a file that is not to be had.
pub async fn run_scheduler(shared: SharedArgs, scheduler: SchedulerArgs) -> Result<(), Failure> {
    start_logging(shared.log);
    match scheduler.once {
        Some(job) => run_one(&shared, job).await,
        None => run_all(&shared, scheduler).await,
    }
}

fn open(shared: &SharedArgs, shop: &EmbeddedParts) -> Commerce {
    let settings = Settings { calendar: shared.time_zone, gates: GatePlacement::InAnotherProcess, ..Settings::default() };
    Commerce::open(shop.parts().clone(), settings)
}

/// Does one job. If nobody else has the file, what follows from it is handled, too.
async fn run_one(shared: &SharedArgs, job: Job) -> Result<(), Failure> {
    let (shop, company) = open_alone_or_beside(shared).await?;
    check_calendar(shared, &shop).await?;
    let commerce = open(shared, &shop);
    if company == Company::Alone {
        commerce.start_consumers(&LASTING);
    }
    let done = Scheduler::new(commerce.clone()).run_once(job).await;
    let done = done.map_err(|error| Failure::missing(format!("cannot do the job {job}"), &error));
    let outcome = match (done, company) {
        (Ok(count), Company::Alone) => timeout(SETTLE_DEADLINE, everything_is_handled(&commerce)).await.map_or_else(
            |_| Err(Failure::Missing(format!("{job} is done, but not all that follows from it: commerce-api goes on with it"))),
            |handled| handled.map(|()| count),
        ),
        (done, _) => done,
    };
    commerce.shutdown().await;
    close(shop).await?;
    println!("{}", what_was_done(job, outcome?));
    Ok(())
}

fn what_was_done(job: Job, count: u64) -> String {
    let what = match job {
        Job::Ranking => "boards and rankings were made",
        Job::ExpireOrders => "orders were ended",
        Job::SweepCoupons => "requests for coupons were asked for again",
        Job::Housekeeping => "rows were deleted",
    };
    format!("{job}: {count} {what}")
}

async fn run_all(shared: &SharedArgs, scheduler: SchedulerArgs) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let shop = open_beside(shared).await?;
    check_calendar(shared, &shop).await?;
    let commerce = open(shared, &shop);
    let shutdown = CancellationToken::new();
    let mut servers = tokio::task::JoinSet::new();
    if let Some(address) = scheduler.ops_listen {
        let listener = bind(address).await?;
        let metrics = install_metrics().map_err(|error| Failure::missing("cannot keep metrics", &error))?;
        // The operators' routes check nobody.
        let options = HttpOptions { metrics: Some(metrics), shutdown: shutdown.clone(), ..HttpOptions::new(AuthMode::Off) };
        servers.spawn(serve(listener, ops_router(commerce.clone(), &options), ServerLimits::default(), shutdown.clone()));
    }
    commerce.start_scheduler();
    tracing::info!("doing the jobs of the shop; a commerce-api on the same file does them, too, and handles what follows from them");

    signals.next().await;
    tracing::info!("ending: what is being done finishes first");
    shutdown.cancel();
    let ended = async {
        while servers.join_next().await.is_some() {}
        commerce.shutdown().await;
        close(shop).await
    };
    tokio::select! {
        biased;
        closed = ended => closed,
        () = signals.next() => {
            tracing::warn!("a second signal: ending at once");
            Ok(())
        }
    }
}

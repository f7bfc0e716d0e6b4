use super::drain::everything_is_handled;
use super::listeners::{Listeners, bind};
use super::{Failure, OpenShop, Presence, SchedulerArgs, SharedArgs, Signals, Topology, say, start_logging};
use crate::http::{AuthMode, HttpOptions};
use commerce_core::messaging::Group;
use commerce_core::scheduler::{Job, Scheduler};
use commerce_core::{Commerce, GatePlacement, Settings};
use std::time::Duration;
use tokio::time::timeout;

/// The groups whose effects last; the others tell clients, and this process has none.
const LASTING: [Group; 6] = [Group::Stock, Group::Coupon, Group::Order, Group::CouponIssuer, Group::CouponGate, Group::Ranking];
/// How long what follows from one job may take to be handled.
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);
/// How long everything may take once the scheduler is told to end.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(25);

/// Does the jobs of a shop until a signal ends it, or one of them once. Of several schedulers on servers one does a job at a time.
///
/// On one file the gates are in the memory of the server, which keeps them itself: requests for coupons that are stored and not decided are
/// asked for again here, and no gate is touched.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] for a port, a file or a server that is not to be had.
pub async fn run_scheduler(shared: SharedArgs, scheduler: SchedulerArgs) -> Result<(), Failure> {
    start_logging(shared.log);
    match scheduler.once {
        Some(job) => run_one(&shared, job).await,
        None => run_all(&shared, scheduler).await,
    }
}

async fn open(shared: &SharedArgs, presence: Presence) -> Result<(OpenShop, Commerce), Failure> {
    let shop = OpenShop::open(shared, presence).await?;
    shop.check_calendar(shared).await?;
    let mut settings = shop.settings(shared);
    if shop.topology() != Topology::Servers {
        settings = Settings { gates: GatePlacement::InAnotherProcess, ..settings };
    }
    let commerce = Commerce::open(shop.parts().clone(), settings);
    match shop.topology() {
        Topology::OneFileAlone => commerce.start_consumers(&LASTING),
        Topology::OneFileBeside => {}
        Topology::Servers => {
            commerce.follow(&Group::ALL);
            commerce.start_relay();
        }
    }
    Ok((shop, commerce))
}

/// Does one job. If nobody else has the file, what follows from it is handled, too.
async fn run_one(shared: &SharedArgs, job: Job) -> Result<(), Failure> {
    let (shop, commerce) = open(shared, Presence::AloneIfPossible).await?;
    let done = Scheduler::new(commerce.clone()).run_once(job).await;
    let done = done.map_err(|error| Failure::missing(format!("cannot do the job {job}"), &error));
    let outcome = match (done, shop.topology()) {
        (Ok(count), Topology::OneFileAlone) => timeout(SETTLE_DEADLINE, everything_is_handled(&commerce)).await.map_or_else(
            |_| Err(Failure::Missing(format!("{job} is done, but not all that follows from it: commerce-api goes on with it"))),
            |handled| handled.map(|()| count),
        ),
        (done, _) => done,
    };
    commerce.shutdown().await;
    shop.close().await?;
    say(what_was_done(job, outcome?));
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
    let Some((shop, commerce)) = signals.unless_ended(Box::pin(open(shared, Presence::Beside))).await? else { return Ok(()) };
    let mut listeners = Listeners::new(HttpOptions { dependencies: shop.dependencies(), ..HttpOptions::new(AuthMode::Off) })?;
    if let Some(address) = scheduler.ops_listen {
        listeners.serve_operators(bind(address).await?, &commerce);
    }
    commerce.start_scheduler();
    let beside = match shop.topology() {
        Topology::Servers => "whenever no other scheduler is at them",
        _ => "beside commerce-api, which does them, too, and handles what follows from them",
    };
    say(format_args!("doing the jobs of the shop {beside}"));

    signals.next().await;
    tracing::info!("ending: what is being done finishes first");
    let ended = async {
        listeners.end().await;
        commerce.shutdown().await;
        shop.close().await
    };
    signals.end_within(SHUTDOWN_DEADLINE, ended).await
}

//! The demo shop: customers, products, coupons and three days of sales, made through the use cases that a real shop runs.
//!
//! Catalogue and customers are one unit of work; every sale carries an idempotency key; the administrator comes last. So a fill that was
//! interrupted goes on where it stopped, and one that was finished is known by its administrator.

mod catalog;
mod clock;
mod greeting;
mod sales;

use self::catalog::{ADMIN_EMAIL, ADMIN_PASSWORD, CUSTOMER_PASSWORD, CUSTOMERS, Catalog};
use self::clock::DemoClock;
use super::{Failure, OpenShop, Progress, SharedArgs, Topology};
use commerce_core::lock::{LockName, Locks, Patience, Tenure, Wake};
use commerce_core::messaging::Group;
use commerce_core::ranking::RankingKeeper;
use commerce_core::store::{Backoff, HiLo, IdAllocator, StoreError, transact};
use commerce_core::user::{Email, Password, PasswordHash, RegisterUser, Role, UserName};
use commerce_core::{BusinessDay, Commerce, Parts, Sequence, Settings, UserId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(super) use self::greeting::greet;

/// Of several servers that are started with `--demo` one fills it in, and the others wait that long.
const PATIENCE: Patience =
    Patience { base: Duration::from_millis(50), cap: Duration::from_millis(500), wait_max: Duration::from_mins(1), wake: Wake::Never };
/// How long the demo's orders can be paid: their days are over, but not their time.
const DEADLINE: Duration = Duration::from_hours(24 * (sales::DAYS as u64 + 1));
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The groups whose steps the sales wait for.
const SAGA: [Group; 3] = [Group::Stock, Group::Coupon, Group::Order];

/// What filling the demo shop came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoOutcome {
    /// The shop was filled.
    Filled,
    /// The demo shop was there already: nothing was changed.
    AlreadyThere,
    /// There are other users: nothing was changed.
    InUse,
}

/// Fills an empty shop with the demo. If the shop is in one file no other process may have it.
///
/// # Errors
/// [`Failure::Missing`] if the store fails.
pub async fn fill_demo(shop: &OpenShop, shared: &SharedArgs) -> Result<DemoOutcome, Failure> {
    fill_once(shop, shared).await.map_err(|error| match error {
        DemoError::Store(error) => Failure::missing("cannot fill the demo shop", &error),
        DemoError::Refused(what) => Failure::Missing(format!("cannot fill the demo shop: {what}")),
    })
}

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Refused(String),
}

impl DemoError {
    fn refused(what: impl std::fmt::Display) -> Self {
        Self::Refused(what.to_string())
    }
}

async fn fill_once(shop: &OpenShop, shared: &SharedArgs) -> Result<DemoOutcome, DemoError> {
    let locks = Locks::new(Arc::clone(&shop.parts().locks), Arc::clone(&shop.parts().random));
    let held = locks.lock(&[LockName::only("demo")], Tenure::JOB, PATIENCE).await.map_err(DemoError::refused)?;
    let held = held.ok_or_else(|| DemoError::refused("another process is at it for too long"))?;
    let outcome = fill(shop, shared).await;
    held.release().await.map_err(DemoError::refused)?;
    outcome
}

async fn fill(open: &OpenShop, shared: &SharedArgs) -> Result<DemoOutcome, DemoError> {
    let parts = open.parts();
    let queries = parts.store.queries();
    if queries.user_by_email(&email(ADMIN_EMAIL)?).await?.is_some() {
        return Ok(DemoOutcome::AlreadyThere);
    }
    let begun = queries.user_by_email(&catalog::customer_email(1)?).await?.is_some();
    if !begun && queries.has_users().await? {
        return Ok(DemoOutcome::InUse);
    }

    let mut progress = Progress::begin("demo shop");
    let clock = Arc::new(DemoClock::new(Arc::clone(&parts.clock)));
    let customer_hash = hash(parts, CUSTOMER_PASSWORD).await?;
    if !begun {
        progress.at("customers, products and coupons", 0, u64::from(sales::DAYS) + 1);
        let ids = Catalog::lease_ids(parts.store.as_ref()).await?;
        let mut catalog = Catalog { clock: Arc::clone(&clock), customer_hash, ids };
        transact(parts.store.as_ref(), Backoff::STORE, parts.random.as_ref(), &mut catalog).await?;
    }

    let ids: Arc<dyn IdAllocator> = Arc::new(HiLo::new(Arc::clone(&parts.store)));
    let parts = Parts { clock: Arc::clone(&clock) as _, ids, ..parts.clone() };
    // What is ordered on a past day is paid now: nobody else who looks at the clock may end it before.
    let shop = Commerce::open(parts, Settings { payment_deadline: DEADLINE, ..open.settings(shared) });
    if open.topology() == Topology::Servers {
        shop.follow(&SAGA);
        shop.start_relay();
    } else {
        shop.start_consumers(&SAGA);
    }
    let filled = sell_and_finish(&shop, &clock, &mut progress, open.topology()).await;
    shop.shutdown().await;
    progress.end();
    filled.map(|()| DemoOutcome::Filled)
}

async fn sell_and_finish(shop: &Commerce, clock: &DemoClock, progress: &mut Progress, topology: Topology) -> Result<(), DemoError> {
    for day in (1..=sales::DAYS).rev() {
        progress.at("sales", u64::from(sales::DAYS + 1 - day), u64::from(sales::DAYS) + 1);
        clock.stand_still_at(sales::opening(shop, clock, day));
        sales::sell(shop, day).await?;
    }
    clock.follow_the_present();
    // The sales of past days are on no board yet: the ranking is there, and right, from the first look.
    let keeper = shop.ranking_keeper();
    let today = keeper.calendar.day_of(clock.present());
    keeper.prepare(today).await.map_err(DemoError::refused)?;
    // On servers another process may have made it before the sales.
    for day in (1..=sales::DAYS).filter(|_| topology == Topology::Servers) {
        count_anew(keeper, today.before(day), today).await?;
    }
    let (name, email) = (UserName::parse("Administrator").map_err(DemoError::refused)?, email(ADMIN_EMAIL)?);
    let password_hash = hash(shop.parts(), ADMIN_PASSWORD).await?;
    // Behind the customers, whatever ids an interrupted fill has used up.
    let mut id: UserId = shop.next_id(Sequence::User).await?;
    while id.get() <= CUSTOMERS {
        id = shop.next_id(Sequence::User).await?;
    }
    let command = RegisterUser { id, name, email, password_hash, role: Role::Admin };
    let registered = shop.desks().register.submit(commerce_core::idempotency::KeyedCommand::without_key(command)).await;
    registered.map(|_| ()).map_err(DemoError::refused)
}

/// Counts a day anew, once nobody else is at it.
async fn count_anew(keeper: &RankingKeeper, day: BusinessDay, today: BusinessDay) -> Result<(), DemoError> {
    let deadline = Instant::now() + PATIENCE.wait_max;
    while keeper.rebuild(day, today).await.map_err(DemoError::refused)?.is_none() {
        if Instant::now() >= deadline {
            return Err(DemoError::refused("another process makes the ranking for too long"));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn email(text: &str) -> Result<Email, DemoError> {
    Email::parse(text).map_err(DemoError::refused)
}

async fn hash(parts: &Parts, password: &str) -> Result<PasswordHash, DemoError> {
    let password = Password::parse(password).map_err(DemoError::refused)?;
    parts.passwords.hash(&password).await.map_err(DemoError::refused)
}

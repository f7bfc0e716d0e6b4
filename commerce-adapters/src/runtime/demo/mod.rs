//! The demo shop: customers, products, coupons and three days of sales, made through the use cases that a real shop runs.
//!
//! Catalogue and customers are one unit of work; every sale carries an idempotency key; the administrator comes last. So a fill that was
//! interrupted goes on where it stopped, and one that was finished is known by its administrator.

mod catalog;
mod clock;
mod sales;

use self::catalog::{CUSTOMERS, Catalog};
use self::clock::DemoClock;
use super::{Failure, Progress};
use commerce_core::messaging::Group;
use commerce_core::store::{Backoff, GroupCommitLimits, HiLo, IdAllocator, StoreError, transact};
use commerce_core::user::{Email, Password, PasswordHash, RegisterUser, Role, UserName};
use commerce_core::{BusinessCalendar, Commerce, Parts, Sequence, Settings, UserId};
use std::sync::Arc;

pub(super) use self::catalog::{ADMIN_EMAIL, ADMIN_PASSWORD, CUSTOMER_PASSWORD};

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

/// Fills an empty shop with the demo. No other process may handle the shop's events meanwhile.
///
/// # Errors
/// [`Failure::Missing`] if the store fails.
pub async fn fill_demo(parts: &Parts, calendar: BusinessCalendar) -> Result<DemoOutcome, Failure> {
    fill(parts, calendar).await.map_err(|error| match error {
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

async fn fill(parts: &Parts, calendar: BusinessCalendar) -> Result<DemoOutcome, DemoError> {
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
    let settings = Settings { calendar, group_commit: GroupCommitLimits::default(), ..Settings::default() };
    let shop = Commerce::open(parts, settings);
    shop.start_consumers(&[Group::Stock, Group::Coupon, Group::Order, Group::Notification]);
    let filled = sell_and_finish(&shop, &clock, &mut progress).await;
    shop.shutdown().await;
    progress.end();
    filled.map(|()| DemoOutcome::Filled)
}

async fn sell_and_finish(shop: &Commerce, clock: &DemoClock, progress: &mut Progress) -> Result<(), DemoError> {
    for day in (1..=sales::DAYS).rev() {
        progress.at("sales", u64::from(sales::DAYS + 1 - day), u64::from(sales::DAYS) + 1);
        clock.stand_still_at(sales::opening(shop, clock, day));
        sales::sell(shop, day).await?;
    }
    clock.follow_the_present();
    // The sales of past days are on no board yet: the ranking is there, and right, from the first look.
    let keeper = shop.ranking_keeper();
    keeper.prepare(keeper.calendar.day_of(clock.present())).await.map_err(DemoError::refused)?;
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

fn email(text: &str) -> Result<Email, DemoError> {
    Email::parse(text).map_err(DemoError::refused)
}

async fn hash(parts: &Parts, password: &str) -> Result<PasswordHash, DemoError> {
    let password = Password::parse(password).map_err(DemoError::refused)?;
    parts.passwords.hash(&password).await.map_err(DemoError::refused)
}

//! The popularity ranking: what sold best over the last three full business days.
//!
//! [`SaleCounter`] counts sales on daily boards as they happen; [`RankingKeeper`] makes the ranking when the day turns or it is missing, and counts a
//! day anew when its board was lost.

mod board;
mod count;
mod keeper;

pub use board::{BoardDay, BoardError, RankingBoard, Sale, SaleState, WINDOW_DAYS};
pub use count::SaleCounter;
pub use keeper::{RankingError, RankingKeeper};

use crate::cache::{Kind, ReadThrough};
use crate::messaging::SoldUnits;
use crate::product::CatalogEntry;
use crate::store::PageLimit;
use crate::{BusinessDay, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

/// How long a process shows a ranking before it looks again.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// What a process finds when it looks, as one of all has read it: a refund shows within both times.
const CACHED: Kind = Kind { name: "ranking-1", keep: Duration::from_secs(9) };
/// How long a ranking that could not be read is not asked for again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long boards are kept: longer than the window, so that no day of it can be missing early.
const KEPT_DAYS: u32 = 8;
/// How long a reader waits for another process that makes the ranking.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The full days the ranking of `today` is made of.
pub(crate) fn window(today: BusinessDay) -> Range<BusinessDay> {
    today.before(WINDOW_DAYS)..today
}

/// The days whose rankings count what was sold on `day`.
fn rankings_over(day: BusinessDay) -> impl Iterator<Item = BusinessDay> {
    std::iter::successors(Some(day.next()), |day| Some(day.next())).take(WINDOW_DAYS as usize)
}

/// The first day whose board is kept.
fn horizon(today: BusinessDay) -> BusinessDay {
    today.before(KEPT_DAYS)
}

/// A product and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedProduct {
    /// The place, from 1.
    pub rank: usize,
    /// The units sold in the window.
    pub sold: u64,
    /// The product.
    pub product: CatalogEntry,
}

/// Reads the ranking, once for all who ask at the same time.
pub(crate) struct Ranking {
    keeper: RankingKeeper,
    cached: Arc<ReadThrough>,
    read: Mutex<Last>,
}

/// What came of reading the ranking the last times.
#[derive(Default)]
struct Last {
    read: Option<Read>,
    failed: Option<Instant>,
}

struct Read {
    at: Instant,
    today: BusinessDay,
    products: Arc<Vec<RankedProduct>>,
}

impl Ranking {
    /// A ranking over what `keeper` keeps.
    pub(crate) fn new(keeper: RankingKeeper, cached: Arc<ReadThrough>) -> Self {
        Self { keeper, cached, read: Mutex::default() }
    }

    /// Who keeps the boards.
    pub(crate) fn keeper(&self) -> &RankingKeeper {
        &self.keeper
    }

    /// The first `limit` products, best sellers first, ties broken by the smaller id. If it cannot be read now, the one that was read last today is
    /// shown.
    ///
    /// # Errors
    /// [`RankingError`] if there is none and it cannot be made.
    pub(crate) async fn top(&self, limit: PageLimit, now: Timestamp) -> Result<Vec<RankedProduct>, RankingError> {
        let (today, deadline) = (self.keeper.calendar.day_of(now), Instant::now() + PATIENCE);
        // Everybody waits for the same ranking, and nobody longer than by itself.
        let mut last = timeout_at(deadline, self.read.lock()).await.map_err(|_late| RankingError::InTheMaking)?;
        let known = last.read.as_ref().filter(|it| it.today == today);
        let known = known.map(|it| (Arc::clone(&it.products), it.at.elapsed() < FRESH_FOR));
        let products = match known {
            Some((products, true)) => products,
            known => self.read_anew(&mut last, known.map(|(products, _old)| products), today, deadline).await?,
        };
        drop(last);
        Ok(products.iter().take(limit.get()).cloned().collect())
    }

    /// Reads the ranking, unless that failed a moment ago: those who wait in line must not each wait for the same that does not answer.
    async fn read_anew(
        &self,
        last: &mut Last,
        known: Option<Arc<Vec<RankedProduct>>>,
        today: BusinessDay,
        deadline: Instant,
    ) -> Result<Arc<Vec<RankedProduct>>, RankingError> {
        let error = if last.failed.is_some_and(|at| at.elapsed() < PAUSE) {
            RankingError::OutOfReach
        } else {
            match self.read_through(today, deadline).await {
                Ok(products) => {
                    let products = Arc::new(products);
                    *last = Last { read: Some(Read { at: Instant::now(), today, products: Arc::clone(&products) }), failed: None };
                    return Ok(products);
                }
                Err(error) => error,
            }
        };
        if !matches!(error, RankingError::OutOfReach) {
            tracing::warn!(%error, "the ranking cannot be read: the last one that is known is shown, if there is one");
            last.failed = Some(Instant::now());
        }
        known.ok_or(error)
    }

    async fn read_through(&self, today: BusinessDay, deadline: Instant) -> Result<Vec<RankedProduct>, RankingError> {
        let key = format!("{}:{today}", self.keeper.calendar.name());
        let read = async |key: String| Ok(HashMap::from([(key, self.read(today, deadline).await?)]));
        let read = self.cached.read(CACHED, std::slice::from_ref(&key), |mut keys| read(keys.remove(0))).await;
        read.map(|mut read| read.remove(&key).unwrap_or_default())
    }

    async fn read(&self, today: BusinessDay, deadline: Instant) -> Result<Vec<RankedProduct>, RankingError> {
        let sold = loop {
            if let Some(sold) = self.keeper.ranking(today, usize::from(PageLimit::MAX)).await? {
                break sold;
            }
            if Instant::now() >= deadline {
                return Err(RankingError::InTheMaking);
            }
            if timeout_at(deadline, self.prepare(today)).await.unwrap_or(Err(RankingError::InTheMaking))?.is_none() {
                sleep(LOOK_EVERY).await;
            }
        };
        self.ranked(sold).await
    }

    /// Makes the ranking in a task of its own: a reader that leaves must not leave the lock behind.
    async fn prepare(&self, today: BusinessDay) -> Result<Option<u64>, RankingError> {
        let keeper = self.keeper.clone();
        match tokio::spawn(async move { keeper.prepare(today).await }).await {
            // Another process has taken over.
            Ok(Err(RankingError::InTheMaking)) => Ok(None),
            prepared => prepared.unwrap_or(Err(RankingError::InTheMaking)),
        }
    }

    async fn ranked(&self, sold: Vec<SoldUnits>) -> Result<Vec<RankedProduct>, RankingError> {
        let mut ids: Vec<_> = sold.iter().map(|it| it.product_id).collect();
        ids.sort_unstable();
        let products = self.keeper.store.queries().products(&ids).await?;
        let mut products: HashMap<_, _> = products.into_iter().map(|product| (product.id, product)).collect();
        let ranked = sold.into_iter().filter_map(|it| Some((it.units, products.remove(&it.product_id)?)));
        Ok(ranked.enumerate().map(|(index, (sold, product))| RankedProduct { rank: index + 1, sold, product: product.into() }).collect())
    }
}

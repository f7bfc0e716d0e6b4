//! The popularity ranking: what sold best over the last three full business days.

use crate::product::Product;
use crate::store::{PageLimit, Queries, StoreError};
use crate::{BusinessCalendar, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How many full days the ranking looks back; today is left out.
pub const WINDOW_DAYS: u32 = 3;
/// How long a computed ranking is shown: a refund shows within this time.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// A product and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedProduct {
    /// The place, from 1.
    pub rank: usize,
    /// The units sold in the window.
    pub sold: i64,
    /// The product as it is now.
    pub product: Product,
}

/// Computes the ranking from the payments, once for all who ask at the same time.
pub struct Ranking {
    calendar: BusinessCalendar,
    computed: Mutex<Option<Computed>>,
}

struct Computed {
    at: Timestamp,
    window: (Timestamp, Timestamp),
    products: Arc<Vec<RankedProduct>>,
}

impl Ranking {
    /// A ranking whose days turn as `calendar` says.
    pub fn new(calendar: BusinessCalendar) -> Self {
        Self { calendar, computed: Mutex::new(None) }
    }

    /// The first `limit` products, best sellers first, ties broken by the smaller id.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn top(&self, limit: PageLimit, queries: &dyn Queries, now: Timestamp) -> Result<Vec<RankedProduct>, StoreError> {
        let window = self.window(now);
        let mut computed = self.computed.lock().await;
        let fresh = computed.as_ref().filter(|it| it.window == window && it.at <= now && now.since(it.at) < FRESH_FOR);
        let products = if let Some(it) = fresh {
            Arc::clone(&it.products)
        } else {
            let products = Arc::new(compute(queries, window).await?);
            *computed = Some(Computed { at: now, window, products: Arc::clone(&products) });
            products
        };
        drop(computed);
        Ok(products.iter().take(limit.get()).cloned().collect())
    }

    fn window(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let today = self.calendar.day_of(now);
        (self.calendar.start_of(today.before(WINDOW_DAYS)), self.calendar.start_of(today))
    }
}

async fn compute(queries: &dyn Queries, (from, to): (Timestamp, Timestamp)) -> Result<Vec<RankedProduct>, StoreError> {
    let most = PageLimit::new(i64::from(PageLimit::MAX)).unwrap_or_default();
    let sold = queries.best_sellers(from, to, most).await?;
    let mut ids: Vec<_> = sold.iter().map(|it| it.product_id).collect();
    ids.sort_unstable();
    let mut products: HashMap<_, _> = queries.products(&ids).await?.into_iter().map(|product| (product.id, product)).collect();
    let ranked = sold.into_iter().filter_map(|it| Some((it.sold, products.remove(&it.product_id)?)));
    Ok(ranked.enumerate().map(|(index, (sold, product))| RankedProduct { rank: index + 1, sold, product }).collect())
}

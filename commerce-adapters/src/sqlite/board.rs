//! Daily boards and rankings in the same file, in short transactions of their own.

use super::SqliteStore;
use super::session::SqliteSession;
use crate::sql::backend::Row;
use crate::sql::statements::{VALUES_MAX, execute, fetch, pieces, push_list};
use crate::sql::{Backend, Fields, Link, Session};
use async_trait::async_trait;
use commerce_core::messaging::SoldUnits;
use commerce_core::ranking::{BoardDay, BoardError, RankingBoard, Sale, SaleState, WINDOW_DAYS};
use commerce_core::store::StoreError;
use commerce_core::{BusinessCalendar, BusinessDay, OrderId, ProductId};
use sqlx::{QueryBuilder, Sqlite};
use std::collections::{BTreeMap, HashMap};

/// Everything a board knows.
const TABLES: [&str; 6] = ["ranking_calendar", "board_days", "board_orders", "board_units", "rankings", "ranked_products"];
/// What is known of a day.
const DAY_TABLES: [&str; 3] = ["board_days", "board_orders", "board_units"];
/// What there may be many rows of a day of: the table, its day and the rest of its key.
const DETAILS: [(&str, &str, &str); 3] =
    [("board_orders", "day", "order_id"), ("board_units", "day", "product_id"), ("ranked_products", "today", "units, product_id")];
/// How many rows of an old day are deleted at once, so that others write in between.
const FORGOTTEN_ROWS_MAX: i64 = 2_000;

const SAVE_ORDERS: [&str; 2] =
    ["INSERT INTO board_orders (day, order_id, state) ", " ON CONFLICT (day, order_id) DO UPDATE SET state = excluded.state"];
const ADD_UNITS: [&str; 2] =
    ["INSERT INTO board_units (day, product_id, units) ", " ON CONFLICT (day, product_id) DO UPDATE SET units = units + excluded.units"];

/// A [`RankingBoard`] in the file of a [`SqliteStore`]. It survives the process, and goes with the file.
#[derive(Clone)]
pub struct SqliteBoard {
    store: SqliteStore,
}

impl SqliteBoard {
    /// A board in the file of this store.
    pub fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    async fn begin(&self) -> Result<SqliteSession, BoardError> {
        self.store.session().await.map_err(board_error)
    }

    /// Runs a statement that is a transaction of its own; answers how many rows it changed.
    async fn execute(&self, query: QueryBuilder<Sqlite>) -> Result<u64, BoardError> {
        self.store.execute_alone(query).await.map_err(board_error)
    }

    async fn fetch<T: Send>(
        &self,
        query: QueryBuilder<Sqlite>,
        read: impl FnMut(&mut Fields<'_, Sqlite>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, BoardError> {
        let mut link = self.store.reads().link().await.map_err(board_error)?;
        fetch(link.as_mut(), query, read).await.map_err(board_error)
    }
}

fn board_error(error: StoreError) -> BoardError {
    BoardError(error.into())
}

/// A fence as it is stored.
fn fence_number(fence: u64) -> Result<i64, BoardError> {
    i64::try_from(fence).map_err(|too_large| BoardError(too_large.into()))
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn read_zone(row: &mut Fields<'_, Sqlite>) -> Result<String, StoreError> {
    row.text()
}

fn read_units(row: &mut Fields<'_, Sqlite>) -> Result<SoldUnits, StoreError> {
    Ok(SoldUnits { product_id: row.whole()?, units: row.whole()? })
}

/// What sales change of a day, given what the board has heard of their orders.
#[derive(Default)]
struct DayChange {
    orders: BTreeMap<OrderId, SaleState>,
    units: BTreeMap<ProductId, i64>,
}

impl DayChange {
    fn of(sales: &[Sale], mut known: HashMap<OrderId, SaleState>) -> Self {
        let mut change = Self::default();
        for sale in sales {
            let before = known.get(&sale.order_id).copied();
            if before >= Some(sale.state) {
                continue;
            }
            known.insert(sale.order_id, sale.state);
            change.orders.insert(sale.order_id, sale.state);
            let sign = match (before, sale.state) {
                (None, SaleState::Paid) => 1,
                (Some(SaleState::Paid), SaleState::Refunded) => -1,
                _ => continue,
            };
            for SoldUnits { product_id, units } in &sale.units {
                *change.units.entry(*product_id).or_default() += sign * i64::try_from(*units).unwrap_or(i64::MAX);
            }
        }
        change.units.retain(|_, units| *units != 0);
        change
    }

    async fn write(self, link: &mut dyn Link<Sqlite>, day: &str) -> Result<(), StoreError> {
        let orders: Vec<_> = self.orders.into_iter().collect();
        let order = |mut row: Row<'_, Sqlite>, (order, state): &(OrderId, SaleState)| {
            row.push_bind(day.to_owned());
            row.push_bind(order.get());
            row.push_bind(state.as_str());
        };
        upsert(link, SAVE_ORDERS, &orders, order).await?;
        let units: Vec<_> = self.units.into_iter().collect();
        let sold = |mut row: Row<'_, Sqlite>, (product, units): &(ProductId, i64)| {
            row.push_bind(day.to_owned());
            row.push_bind(product.get());
            row.push_bind(*units);
        };
        upsert(link, ADD_UNITS, &units, sold).await
    }
}

async fn upsert<T: Sync>(
    link: &mut dyn Link<Sqlite>,
    [head, tail]: [&str; 2],
    rows: &[T],
    mut bind: impl FnMut(Row<'_, Sqlite>, &T) + Send,
) -> Result<(), StoreError> {
    for piece in pieces(rows, Sqlite::INSERT_ROWS_EXACT, Sqlite::ROWS_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new(head);
        query.push_values(piece, &mut bind).push(tail);
        execute(link, query).await?;
    }
    Ok(())
}

/// What the board has heard of the orders of these sales.
async fn known(link: &mut dyn Link<Sqlite>, day: &str, sales: &[Sale]) -> Result<HashMap<OrderId, SaleState>, StoreError> {
    let mut known = HashMap::with_capacity(sales.len());
    for piece in sales.chunks(VALUES_MAX) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT order_id, state FROM board_orders WHERE day = ");
        query.push_bind(day.to_owned()).push(" AND order_id IN");
        push_list(&mut query, &piece.iter().map(|sale| sale.order_id.get()).collect::<Vec<_>>());
        let read = |row: &mut Fields<'_, Sqlite>| Ok((row.whole()?, row.word(SaleState::parse)?));
        known.extend(fetch(link, query, read).await?);
    }
    Ok(known)
}

fn of_day(statement: &str, day: &str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::<Sqlite>::new(statement);
    query.push_bind(day.to_owned());
    query
}

#[async_trait]
impl RankingBoard for SqliteBoard {
    async fn calendar(&self) -> Result<Option<BusinessCalendar>, BoardError> {
        let query = QueryBuilder::<Sqlite>::new("SELECT time_zone FROM ranking_calendar WHERE id = 1");
        let zone = self.fetch(query, read_zone).await?.pop();
        // A zone that is not known any more is as good as none: the board is counted anew.
        Ok(zone.and_then(|zone| BusinessCalendar::named(&zone).ok()))
    }

    async fn reset(&self, calendar: BusinessCalendar) -> Result<(), BoardError> {
        let mut session = self.begin().await?;
        for table in TABLES {
            execute::<Sqlite>(session.link(), QueryBuilder::<Sqlite>::new(format!("DELETE FROM {table}"))).await.map_err(board_error)?;
        }
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO ranking_calendar (id, time_zone) VALUES (1, ");
        query.push_bind(calendar.name()).push(")");
        execute(session.link(), query).await.map_err(board_error)?;
        session.commit(Vec::new()).await.map_err(board_error)
    }

    async fn record(&self, day: BusinessDay, sales: &[Sale]) -> Result<(), BoardError> {
        if sales.is_empty() {
            return Ok(());
        }
        let day = day.to_string();
        let mut session = self.begin().await?;
        let link = session.link();
        let change = DayChange::of(sales, known(link, &day, sales).await.map_err(board_error)?);
        if change.orders.is_empty() {
            return Ok(());
        }
        let mut add_day = of_day("INSERT INTO board_days (day, whole) VALUES (", &day);
        add_day.push(", 0) ON CONFLICT (day) DO NOTHING");
        execute(link, add_day).await.map_err(board_error)?;
        change.write(link, &day).await.map_err(board_error)?;
        session.commit(Vec::new()).await.map_err(board_error)
    }

    async fn days(&self) -> Result<Vec<BoardDay>, BoardError> {
        let read = |row: &mut Fields<'_, Sqlite>| {
            let day = row.word(BusinessDay::parse)?;
            Ok(BoardDay { day, whole: row.int()? == 1 })
        };
        self.fetch(QueryBuilder::<Sqlite>::new("SELECT day, whole FROM board_days WHERE day > '' ORDER BY day"), read).await
    }

    async fn clear(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        let (day, fence) = (day.to_string(), fence_number(fence)?);
        let mut session = self.begin().await?;
        let mut later = of_day("SELECT fence FROM board_days WHERE day = ", &day);
        later.push(" AND fence > ").push_bind(fence);
        if !fetch(session.link(), later, |row: &mut Fields<'_, Sqlite>| row.int()).await.map_err(board_error)?.is_empty() {
            return Ok(false);
        }
        for table in DAY_TABLES {
            let query = of_day(&format!("DELETE FROM {table} WHERE day = "), &day);
            execute(session.link(), query).await.map_err(board_error)?;
        }
        let mut begin_anew = of_day("INSERT INTO board_days (day, whole, fence) VALUES (", &day);
        begin_anew.push(", 0, ").push_bind(fence).push(")");
        execute(session.link(), begin_anew).await.map_err(board_error)?;
        session.commit(Vec::new()).await.map_err(board_error)?;
        Ok(true)
    }

    async fn mark_whole(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        let mut query = of_day("UPDATE board_days SET whole = 1 WHERE day = ", &day.to_string());
        query.push(" AND fence = ").push_bind(fence_number(fence)?);
        Ok(self.execute(query).await? == 1)
    }

    async fn sold(&self, day: BusinessDay, after: Option<ProductId>, limit: usize) -> Result<Vec<SoldUnits>, BoardError> {
        let mut query = of_day("SELECT product_id, units FROM board_units WHERE day = ", &day.to_string());
        query.push(" AND product_id > ").push_bind(after.map_or(0, i64::from)).push(" AND units > 0 ORDER BY product_id LIMIT ");
        query.push_bind(limited(limit));
        self.fetch(query, read_units).await
    }

    async fn aggregate(&self, today: BusinessDay) -> Result<bool, BoardError> {
        let (first, today) = (today.before(WINDOW_DAYS).to_string(), today.to_string());
        let mut session = self.begin().await?;
        let link = session.link();
        let mut whole = of_day("SELECT whole FROM board_days WHERE day >= ", &first);
        whole.push(" AND day < ").push_bind(today.clone()).push(" AND whole = 1");
        let whole = fetch(link, whole, |row: &mut Fields<'_, Sqlite>| row.int()).await.map_err(board_error)?;
        if whole.len() < WINDOW_DAYS as usize {
            return Ok(false);
        }
        execute(link, of_day("DELETE FROM ranked_products WHERE today = ", &today)).await.map_err(board_error)?;
        let mut rank = of_day("INSERT INTO ranked_products (today, product_id, units) SELECT ", &today);
        rank.push(", product_id, SUM(units) FROM board_units WHERE day >= ").push_bind(first).push(" AND day < ").push_bind(today.clone());
        rank.push(" GROUP BY product_id HAVING SUM(units) > 0");
        execute(link, rank).await.map_err(board_error)?;
        let mut made = of_day("INSERT INTO rankings (today) VALUES (", &today);
        made.push(") ON CONFLICT (today) DO NOTHING");
        execute(link, made).await.map_err(board_error)?;
        session.commit(Vec::new()).await.map_err(board_error)?;
        Ok(true)
    }

    async fn top(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError> {
        // One statement, so that a ranking that is being replaced is seen as it was or as it is to be.
        let mut query = of_day(
            "SELECT p.product_id, p.units FROM rankings r LEFT JOIN ranked_products p ON p.today = r.today WHERE r.today = ",
            &today.to_string(),
        );
        query.push(" ORDER BY p.units DESC, p.product_id LIMIT ").push_bind(limited(limit.max(1)));
        let read = |row: &mut Fields<'_, Sqlite>| {
            Ok(match (row.opt_whole()?, row.opt_whole()?) {
                (Some(product_id), Some(units)) => Some(SoldUnits { product_id, units }),
                _ => None,
            })
        };
        let rows = self.fetch(query, read).await?;
        Ok((!rows.is_empty()).then(|| rows.into_iter().flatten().take(limit).collect()))
    }

    async fn forget(&self, before: BusinessDay) -> Result<(), BoardError> {
        let before = before.to_string();
        // What makes a day or a ranking visible goes first; the rest of it is deleted piece by piece, so that others write in between.
        self.execute(of_day("DELETE FROM rankings WHERE today < ", &before)).await?;
        self.execute(of_day("DELETE FROM board_days WHERE day < ", &before)).await?;
        for (table, day, key) in DETAILS {
            loop {
                let old = format!("DELETE FROM {table} WHERE ({day}, {key}) IN (SELECT {day}, {key} FROM {table} WHERE {day} < ");
                let mut query = of_day(&old, &before);
                query.push(" LIMIT ").push_bind(FORGOTTEN_ROWS_MAX).push(")");
                if i64::try_from(self.execute(query).await?) != Ok(FORGOTTEN_ROWS_MAX) {
                    break;
                }
            }
        }
        Ok(())
    }
}

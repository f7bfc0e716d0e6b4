//! The boards of the ranking in Redis.

mod keys;

use self::keys::Keys;
use super::handle::NO_ARGS;
use super::{Redis, Script};
use crate::random::ThreadRandom;
use async_trait::async_trait;
use commerce_core::messaging::SoldUnits;
use commerce_core::ranking::{BoardDay, BoardError, RankingBoard, Sale, SaleState, WINDOW_DAYS};
use commerce_core::store::Random;
use commerce_core::{BusinessCalendar, BusinessDay, ProductId};
use redis::{FromRedisValue, RedisError, RedisResult, ToRedisArgs, cmd};
use std::slice::from_ref;
use std::sync::LazyLock;

/// How many sales one script counts: nothing else runs on the server meanwhile.
const SALES_AT_ONCE: usize = 50;

macro_rules! scripts {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!("board-", $file), concat!(include_str!("run.lua"), include_str!(concat!($file, ".lua")))));)+
    };
}

scripts! {
    RECORD = "record",
    CLEAR = "clear",
    MARK_WHOLE = "mark_whole",
    DAYS = "days",
    SOLD = "sold",
    AGGREGATE = "aggregate",
    TOP = "top",
    DROP = "drop",
}

/// Daily boards and rankings in Redis: a sorted set a day, and of each ranking the union of its days. On a Cluster they are together on one server.
///
/// A day is whole for as long as the server continues the run of writes in which it was counted: after a restart, or once a replica has become the
/// master, sales may be missing, and the day is counted anew from the store.
#[derive(Debug, Clone)]
pub struct RedisBoard {
    redis: Redis,
    keys: Keys,
}

impl RedisBoard {
    /// A board on these servers.
    pub fn new(redis: Redis) -> Self {
        let keys = Keys::of(&redis);
        Self { redis, keys }
    }

    async fn eval<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: impl ToRedisArgs + Copy + Send + Sync,
    ) -> Result<T, BoardError> {
        self.redis.eval(script, keys, arguments).await.map_err(board_error)
    }

    /// The days of a hash whose fields are days.
    async fn listed(&self, key: &str) -> Result<Vec<BusinessDay>, BoardError> {
        let days: Vec<String> = self.redis.run(cmd("HKEYS").arg(key)).await.map_err(board_error)?;
        Ok(days.iter().filter_map(|day| BusinessDay::parse(day)).collect())
    }

    /// Forgets the boards and the rankings of days that are to be forgotten.
    async fn drop_all(&self, is_old: impl Fn(BusinessDay) -> bool + Send) -> Result<(), BoardError> {
        let Keys { days, rankings, .. } = &self.keys;
        for day in self.listed(days).await?.into_iter().filter(|day| is_old(*day)) {
            let _: () = self.eval(&DROP, &self.keys.of_day(day), &[day.to_string()]).await?;
        }
        for day in self.listed(rankings).await?.into_iter().filter(|day| is_old(*day)) {
            let _: () = self.eval(&DROP, &[rankings.clone(), self.keys.ranking(day)], &[day.to_string()]).await?;
        }
        Ok(())
    }
}

fn board_error(error: RedisError) -> BoardError {
    BoardError(error.into())
}

/// A product with sixteen digits: as text, products have the order of their numbers.
fn word(product: ProductId) -> String {
    format!("{:016}", product.get())
}

fn sold((product, units): (String, f64)) -> Result<SoldUnits, BoardError> {
    let product_id = product.parse().ok().and_then(|id| ProductId::new(id).ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "units are whole and positive, and exact up to 2^53")]
    let units = units.abs() as u64;
    product_id.map(|product_id| SoldUnits { product_id, units }).ok_or_else(|| BoardError("a product on a board cannot be read".into()))
}

#[async_trait]
impl RankingBoard for RedisBoard {
    async fn calendar(&self) -> Result<Option<BusinessCalendar>, BoardError> {
        let zone: Option<String> = self.redis.run(cmd("GET").arg(&self.keys.calendar)).await.map_err(board_error)?;
        // A zone that is not known any more is as good as none: the board is counted anew.
        Ok(zone.and_then(|zone| BusinessCalendar::named(&zone).ok()))
    }

    /// Without a calendar nobody counts: it goes first and comes last.
    async fn reset(&self, calendar: BusinessCalendar) -> Result<(), BoardError> {
        self.redis.run::<()>(cmd("DEL").arg(&self.keys.calendar)).await.map_err(board_error)?;
        self.drop_all(|_| true).await?;
        let kept: RedisResult<()> = self.redis.run(cmd("SET").arg(&self.keys.calendar).arg(calendar.name())).await;
        kept.map_err(board_error)
    }

    async fn record(&self, day: BusinessDay, sales: &[Sale]) -> Result<(), BoardError> {
        let keys = self.keys.of_day(day);
        for piece in sales.chunks(SALES_AT_ONCE) {
            let mut arguments = vec![day.to_string(), keys::forgotten_at(day).to_string()];
            for Sale { order_id, units, state, .. } in piece {
                let state = match state {
                    SaleState::Paid => "P",
                    SaleState::Refunded => "R",
                };
                arguments.extend([order_id.to_string(), state.to_owned(), units.len().to_string()]);
                arguments.extend(units.iter().flat_map(|sold| [word(sold.product_id), sold.units.to_string()]));
            }
            let _: () = self.eval(&RECORD, &keys, &arguments).await?;
        }
        Ok(())
    }

    async fn days(&self) -> Result<Vec<BoardDay>, BoardError> {
        let days: Vec<(String, bool)> = self.eval(&DAYS, from_ref(&self.keys.days), NO_ARGS).await?;
        let day = |(day, whole): (String, bool)| BusinessDay::parse(&day).map(|day| BoardDay { day, whole });
        let mut days: Vec<_> = days.into_iter().filter_map(day).collect();
        days.sort_unstable_by_key(|it| it.day);
        Ok(days)
    }

    async fn clear(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        let call = ThreadRandom.up_to(u64::MAX);
        self.eval(&CLEAR, &self.keys.of_day(day), &[day.to_string(), fence.to_string(), call.to_string()]).await
    }

    async fn mark_whole(&self, day: BusinessDay, fence: u64) -> Result<bool, BoardError> {
        self.eval(&MARK_WHOLE, from_ref(&self.keys.days), &[day.to_string(), fence.to_string()]).await
    }

    async fn sold(&self, day: BusinessDay, after: Option<ProductId>, limit: usize) -> Result<Vec<SoldUnits>, BoardError> {
        let [_, _, units, products] = self.keys.of_day(day);
        let after = after.map_or_else(|| "-".to_owned(), |after| format!("({}", word(after)));
        let listed: Vec<(String, f64)> = self.eval(&SOLD, &[units, products], &[after, limit.to_string()]).await?;
        listed.into_iter().map(sold).collect()
    }

    async fn aggregate(&self, today: BusinessDay) -> Result<bool, BoardError> {
        let window: Vec<_> = today.since(today.before(WINDOW_DAYS)).filter(|day| *day < today).collect();
        let mut keys = vec![self.keys.days.clone(), self.keys.rankings.clone(), self.keys.ranking(today)];
        keys.extend(window.iter().map(|day| self.keys.units(*day)));
        let mut arguments = vec![today.to_string(), keys::forgotten_at(today).to_string()];
        arguments.extend(window.iter().map(ToString::to_string));
        self.eval(&AGGREGATE, &keys, &arguments).await
    }

    async fn top(&self, today: BusinessDay, limit: usize) -> Result<Option<Vec<SoldUnits>>, BoardError> {
        let keys = [self.keys.rankings.clone(), self.keys.ranking(today)];
        let ranked: Option<Vec<(String, f64)>> = self.eval(&TOP, &keys, &[today.to_string(), limit.to_string()]).await?;
        ranked.map(|ranked| ranked.into_iter().map(sold).collect()).transpose()
    }

    async fn forget(&self, before: BusinessDay) -> Result<(), BoardError> {
        self.drop_all(|day| day < before).await
    }
}

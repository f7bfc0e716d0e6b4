//! The coupon gate in Redis.

mod keys;
mod queue;
mod scripts;
mod words;

use self::keys::{GateKeys, index, keys};
use self::queue::{Asked, Queue};
use self::scripts::{ADMIT, CENSUS, CLOSE, LOAD, OPEN, PENDING, SETTLE};
use super::handle::NO_ARGS;
use super::{Redis, Script};
use async_trait::async_trait;
use commerce_core::coupon::{Coupon, CouponGate, GateCensus, GateError, GatePlace, GateRequest, GateVerdict, PendingPlace, Settlement};
use commerce_core::{CouponId, Timestamp};
use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use redis::{RedisError, RedisResult, cmd};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How many places one script settles, loads or takes over: nothing else runs on the server meanwhile.
const PLACES_AT_ONCE: usize = 500;
/// How many coupons are asked at once for what is pending of them.
const COUPONS_AT_ONCE: usize = 64;
/// How long a coupon is remembered after it has expired, and one that was closed and not opened again.
const REMEMBERED: Duration = Duration::from_hours(7 * 24);
/// The last millisecond that Redis can let a key expire at is later than anybody needs.
const FORGET_MAX_MS: i64 = 253_402_300_799_999;

/// A coupon gate that all processes of a shop share.
///
/// Every method is one script on the keys of a coupon, and the place, the window, the counters and the list of what is pending change in one step.
/// Requests that come together are decided together.
///
/// A gate is open for as long as its server continues the run of writes in which it was opened. A server that was flushed knows nothing of the
/// coupon; one that was restarted, or a replica that has become the master, may not have heard of the last admissions: the coupon is closed there
/// until the keeper has told the gate again what the store knows, and what the server still has pending is kept.
#[derive(Debug, Clone)]
pub struct RedisGate {
    redis: Redis,
    queue: Arc<Queue>,
}

impl RedisGate {
    /// A gate on these servers.
    pub fn new(redis: Redis) -> Self {
        Self { redis, queue: Arc::default() }
    }

    fn keys(&self, coupon: CouponId) -> GateKeys {
        keys(&self.redis, coupon)
    }

    /// Decides requests, those for the same coupon by one script, and tells everybody.
    async fn decide(&self, batch: Vec<Asked>) {
        let mut by_coupon = BTreeMap::<_, Vec<Asked>>::new();
        for asked in batch {
            by_coupon.entry((asked.request.coupon_id, asked.request.window)).or_default().push(asked);
        }
        let decided = by_coupon.into_iter().map(|((coupon, window), asked)| async move {
            let requests: Vec<_> = asked.iter().map(|asked| asked.request).collect();
            let verdicts = self.admit_all(coupon, window, &requests).await;
            for (index, Asked { answer, .. }) in asked.into_iter().enumerate() {
                let verdict =
                    verdicts.as_ref().map_err(Clone::clone).and_then(|words| words::verdict(*words.get(index).unwrap_or(&0), window));
                // Who does not wait any more is not told; a repeat of the request will be.
                let _gone = answer.send(verdict.map_err(gate_error));
            }
        });
        join_all(decided).await;
    }

    async fn admit_all(&self, coupon: CouponId, window: Duration, requests: &[GateRequest]) -> RedisResult<Vec<i64>> {
        let mut arguments = vec![words::millis_up(window).to_string()];
        for GateRequest { task_id, user_id, now, .. } in requests {
            arguments.extend([words::task(*task_id), user_id.to_string(), now.millis().to_string()]);
        }
        self.redis.eval(&ADMIT, &self.keys(coupon), &arguments).await
    }

    /// What is pending of one coupon. A coupon that the gate has forgotten is not asked for again.
    async fn pending_of(&self, coupon: CouponId, before: Timestamp, limit: usize) -> RedisResult<Vec<PendingPlace>> {
        let arguments = [before.millis().to_string(), limit.to_string()];
        let listed: Option<Vec<(String, String)>> = self.redis.eval(&PENDING, &self.keys(coupon), &arguments).await?;
        let Some(listed) = listed else {
            self.redis.run::<()>(cmd("SREM").arg(index(&self.redis)).arg(coupon.get())).await?;
            return Ok(Vec::new());
        };
        listed.iter().map(|(place, at)| words::pending(coupon, place, at)).collect()
    }

    /// Notes that the coupon is to be asked for what is pending of it.
    async fn remember(&self, coupon: CouponId) -> RedisResult<()> {
        self.redis.run(cmd("SADD").arg(index(&self.redis)).arg(coupon.get())).await
    }

    async fn tell(&self, script: &Script, coupon: CouponId, arguments: &[String]) -> Result<u8, GateError> {
        self.redis.eval(script, &self.keys(coupon), arguments).await.map_err(gate_error)
    }
}

fn gate_error(error: RedisError) -> GateError {
    GateError(error.into())
}

fn forgotten_at(coupon: &Coupon) -> i64 {
    coupon.expires_at.plus(REMEMBERED).millis().min(FORGET_MAX_MS)
}

#[async_trait]
impl CouponGate for RedisGate {
    async fn admit(&self, request: &GateRequest) -> Result<GateVerdict, GateError> {
        self.queue.ask(self, *request).await
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<(), GateError> {
        let mut by_coupon = BTreeMap::<_, Vec<&Settlement>>::new();
        for settlement in settlements {
            by_coupon.entry(settlement.coupon_id).or_default().push(settlement);
        }
        for (coupon, settlements) in by_coupon {
            for piece in settlements.chunks(PLACES_AT_ONCE) {
                let words = piece.iter().flat_map(|settlement| {
                    let Settlement { task_id, user_id, issued, at, .. } = **settlement;
                    let position = issued.map_or_else(String::new, |position| position.get().to_string());
                    [words::task(task_id), user_id.to_string(), position, at.millis().to_string()]
                });
                self.tell(&SETTLE, coupon, &words.collect::<Vec<_>>()).await?;
            }
        }
        Ok(())
    }

    async fn pending(&self, before: Timestamp, limit: usize) -> Result<Vec<PendingPlace>, GateError> {
        let coupons: Vec<i64> = self.redis.run(cmd("SMEMBERS").arg(index(&self.redis))).await.map_err(gate_error)?;
        let coupons = coupons.into_iter().filter_map(|id| CouponId::new(id).ok());
        let asked = stream::iter(coupons.map(|coupon| self.pending_of(coupon, before, limit)));
        let mut pending: Vec<_> = asked.buffer_unordered(COUPONS_AT_ONCE).try_concat().await.map_err(gate_error)?;
        pending.sort_unstable_by_key(|place| (place.at, place.task_id));
        pending.truncate(limit);
        Ok(pending)
    }

    async fn close(&self, coupon: CouponId, fence: u64) -> Result<(), GateError> {
        // Noted first, so that nothing can be pending of a coupon that nobody asks for.
        self.remember(coupon).await.map_err(gate_error)?;
        self.tell(&CLOSE, coupon, &[fence.to_string(), REMEMBERED.as_millis().to_string()]).await.map(drop)
    }

    async fn load(&self, coupon: CouponId, fence: u64, places: &[GatePlace]) -> Result<bool, GateError> {
        let mut pieces = places.chunks(PLACES_AT_ONCE);
        // Also without places the answer says who closed the coupon last.
        let mut piece = pieces.next().unwrap_or_default();
        loop {
            let mut arguments = vec![fence.to_string()];
            for GatePlace { task_id, user_id, position, at, state } in piece {
                let (position, at) = (position.get().to_string(), at.millis().to_string());
                arguments.extend([user_id.to_string(), words::task(*task_id), position, at, words::state(*state).to_owned()]);
            }
            let is_loaded = self.tell(&LOAD, coupon, &arguments).await? == 1;
            match pieces.next() {
                Some(next) if is_loaded => piece = next,
                _ => return Ok(is_loaded),
            }
        }
    }

    async fn open(&self, coupon: &Coupon, fence: u64) -> Result<bool, GateError> {
        let Coupon { initial_stock, opens_at, expires_at, .. } = *coupon;
        let opens_at = opens_at.map_or_else(String::new, |opens_at| opens_at.millis().to_string());
        let (expires_at, forget) = (expires_at.millis().to_string(), forgotten_at(coupon).to_string());
        let arguments = [fence.to_string(), initial_stock.to_string(), opens_at, expires_at, forget, PLACES_AT_ONCE.to_string()];
        loop {
            match self.tell(&OPEN, coupon.id, &arguments).await? {
                // More of what was kept is to be added.
                2 => {}
                answer => return Ok(answer == 1),
            }
        }
    }

    async fn census(&self, coupon: CouponId) -> Result<Option<GateCensus>, GateError> {
        let counted: Option<(u64, u64)> = self.redis.eval(&CENSUS, &self.keys(coupon), NO_ARGS).await.map_err(gate_error)?;
        if counted.is_some() {
            // On a Cluster the list of all coupons is on a server of its own, which may have lost it.
            self.remember(coupon).await.map_err(gate_error)?;
        }
        Ok(counted.map(|(issued, pending)| GateCensus { issued, pending }))
    }

    /// Redis forgets by itself.
    async fn retire(&self, _before: Timestamp) -> Result<(), GateError> {
        Ok(())
    }
}

use super::{Coupon, CouponGate, CouponRequest, GateError, GatePlace, PendingPlace, PlaceState, UserCoupon};
use crate::lock::{HeldLock, LockError, LockName, Locks, Tenure};
use crate::store::{PageLimit, Store, StoreError, ascending};
use crate::{CouponId, Timestamp};
use std::sync::Arc;

/// How many places are loaded at once.
const PAGE_ROWS: u32 = 1_000;

/// Why a gate could not be rebuilt; it stays closed.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock service failed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The gate failed.
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// What came of rebuilding a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateRebuild {
    /// The gate is open, and knows of these places.
    Open {
        /// How many there are.
        places: u64,
    },
    /// There is no such coupon, and no gate of it.
    UnknownCoupon,
    /// Somebody else rebuilds the gate at the moment.
    InOtherHands,
}

/// Rebuilds gates from the store: from what was issued, and from the requests that are not decided.
#[derive(Clone)]
pub struct GateKeeper {
    /// What is true.
    pub store: Arc<dyn Store>,
    /// What is rebuilt.
    pub gate: Arc<dyn CouponGate>,
    /// What keeps two processes from rebuilding the same gate.
    pub locks: Locks,
}

impl GateKeeper {
    /// Closes the gate of a coupon and opens it again with the places the store knows of.
    ///
    /// # Errors
    /// [`KeeperError`]; the gate stays closed then, and can be rebuilt again.
    pub async fn rebuild(&self, coupon: CouponId) -> Result<GateRebuild, KeeperError> {
        let Some(held) = self.locks.try_lock(&[LockName::of("gate", coupon)], Tenure::JOB).await? else {
            return Ok(GateRebuild::InOtherHands);
        };
        let rebuilt = self.rebuild_under(coupon, &held).await;
        held.release().await?;
        rebuilt
    }

    /// Opens the gates of all coupons that have not expired and are closed; answers how many it opened.
    ///
    /// # Errors
    /// [`KeeperError`]; the gates that could not be rebuilt stay closed.
    pub async fn open_closed(&self, now: Timestamp) -> Result<u64, KeeperError> {
        let most = PageLimit::new(i64::from(PageLimit::MAX)).unwrap_or_default();
        let (mut after, mut opened, mut failure) = (None, 0, None);
        loop {
            let page = self.store.queries().coupons(after, most).await?;
            for coupon in page.items.iter().filter(|coupon| !coupon.expired(now)) {
                match self.open_if_closed(coupon.id).await {
                    Ok(newly) => opened += u64::from(newly),
                    // One coupon that cannot be read must not keep the others closed.
                    Err(error) => {
                        tracing::warn!(%error, coupon_id = coupon.id.get(), "a coupon gate stays closed");
                        failure.get_or_insert(error);
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return failure.map_or(Ok(opened), Err);
            }
        }
    }

    /// Whether the gate was closed and is open now.
    async fn open_if_closed(&self, coupon: CouponId) -> Result<bool, KeeperError> {
        Ok(self.gate.census(coupon).await?.is_none() && matches!(self.rebuild(coupon).await?, GateRebuild::Open { .. }))
    }

    /// Opens the gates of these places that are closed: a rebuild that broke off has kept them, and none can be settled until its gate is open,
    /// even if the coupon has expired meanwhile.
    ///
    /// # Errors
    /// [`KeeperError`]; the gates that could not be rebuilt stay closed.
    pub async fn open_for(&self, places: &[PendingPlace]) -> Result<(), KeeperError> {
        let mut failure = None;
        for coupon in ascending(places.iter().map(|place| place.coupon_id)) {
            // One coupon that cannot be read must not keep the others closed.
            if let Err(error) = self.open_if_closed(coupon).await {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn rebuild_under(&self, coupon_id: CouponId, held: &HeldLock) -> Result<GateRebuild, KeeperError> {
        // Closed first, so that everybody admitted from now on is admitted by the rebuilt gate. Who was admitted before and is not stored yet
        // is among the pending ones that the gate keeps; if it has lost those too, the issuer is the judge.
        self.gate.close(coupon_id, held.fence()).await?;
        let Some(coupon) = self.store.queries().coupon(coupon_id).await? else { return Ok(GateRebuild::UnknownCoupon) };
        let (Some(pending), Some(issued)) = (self.load_pending(&coupon, held).await?, self.load_issued(&coupon, held).await?) else {
            return Ok(GateRebuild::InOtherHands);
        };
        let opened = self.gate.open(&coupon, held.fence()).await?;
        tracing::info!(coupon_id = coupon_id.get(), issued, pending, opened, "rebuilt a coupon gate");
        Ok(if opened { GateRebuild::Open { places: pending + issued } } else { GateRebuild::InOtherHands })
    }

    /// Pending requests come first: one that is decided meanwhile is settled by the sweeper, while one that was looked for too late in both
    /// places would be missed.
    async fn load_pending(&self, coupon: &Coupon, held: &HeldLock) -> Result<Option<u64>, KeeperError> {
        let (mut after, mut loaded) = (None, 0);
        loop {
            let page = self.store.queries().pending_requests(after, PAGE_ROWS).await?;
            let places: Vec<_> = page.iter().filter(|request| request.coupon_id == coupon.id).map(GatePlace::from).collect();
            if !self.load(coupon, held, &places).await? {
                return Ok(None);
            }
            loaded += places.len() as u64;
            after = page.last().map(|request| request.task_id);
            if page.len() < PAGE_ROWS as usize {
                return Ok(Some(loaded));
            }
        }
    }

    async fn load_issued(&self, coupon: &Coupon, held: &HeldLock) -> Result<Option<u64>, KeeperError> {
        let (mut after, mut loaded) = (None, 0);
        loop {
            let page = self.store.queries().issued_of(coupon.id, after, PAGE_ROWS).await?;
            let places: Vec<_> = page.iter().map(GatePlace::from).collect();
            if !self.load(coupon, held, &places).await? {
                return Ok(None);
            }
            loaded += places.len() as u64;
            after = page.last().map(|held| held.id);
            if page.len() < PAGE_ROWS as usize {
                return Ok(Some(loaded));
            }
        }
    }

    /// Loads a page; `false` if somebody else has taken over, or may have.
    async fn load(&self, coupon: &Coupon, held: &HeldLock, places: &[GatePlace]) -> Result<bool, KeeperError> {
        Ok(self.gate.load(coupon.id, held.fence(), places).await? && !held.is_lost())
    }
}

impl From<&CouponRequest> for GatePlace {
    fn from(request: &CouponRequest) -> Self {
        let CouponRequest { task_id, user_id, position, admitted_at, .. } = *request;
        Self { task_id, user_id, position, at: admitted_at, state: PlaceState::Pending }
    }
}

impl From<&UserCoupon> for GatePlace {
    fn from(held: &UserCoupon) -> Self {
        let UserCoupon { task_id, user_id, position, issued_at, .. } = *held;
        Self { task_id, user_id, position, at: issued_at, state: PlaceState::Issued }
    }
}

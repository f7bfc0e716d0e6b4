//! The jobs that are due by the clock.

use crate::lock::{Fence, HeldLock, LockError, LockName, Tenure};
use crate::ranking::RankingError;
use crate::store::StoreError;
use crate::{Commerce, SweepError};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EXPIRE_ORDERS_MAX: u32 = 256;
const PURGE_ROWS_MAX: u32 = 2_000;
const SWEEP_REQUESTS_MAX: u32 = 1_000;
/// How long handled events, inbox rows and idempotency records are kept: keys live 24 hours at least, and every redelivery is far earlier.
const RETENTION: Duration = Duration::from_hours(48);

/// Something that is done again and again, by one process of a shop at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Makes the ranking when the day turns, and the daily boards when they are missing.
    Ranking,
    /// Ends orders whose payment deadline has passed.
    ExpireOrders,
    /// Sees to coupon gates and requests for coupons that were left behind.
    SweepCoupons,
    /// Deletes handled events, inbox rows, idempotency records and decided requests that nobody needs any more.
    Housekeeping,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 4] = [Self::Ranking, Self::ExpireOrders, Self::SweepCoupons, Self::Housekeeping];

    /// The name of the job, such as `expire-orders`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ranking => "ranking",
            Self::ExpireOrders => "expire-orders",
            Self::SweepCoupons => "sweep-coupons",
            Self::Housekeeping => "housekeeping",
        }
    }

    /// The job of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.name() == name)
    }

    /// Whether the rows themselves see to it that each thing is done once: the lock only saves the work of looking twice.
    const fn is_guarded_by_the_store(self) -> bool {
        matches!(self, Self::ExpireOrders | Self::Housekeeping)
    }

    const fn every(self) -> Duration {
        match self {
            Self::Ranking => Duration::from_secs(5),
            Self::ExpireOrders => Duration::from_millis(500),
            Self::SweepCoupons => Duration::from_secs(2),
            Self::Housekeeping => Duration::from_mins(10),
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a job could not be done; it is tried again when it is due next.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
    /// The lock service failed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ranking could not be made.
    #[error(transparent)]
    Ranking(#[from] RankingError),
    /// What was left behind at the coupon gates could not be seen to.
    #[error(transparent)]
    Sweep(#[from] SweepError),
}

/// Does the jobs of a shop.
pub struct Scheduler {
    commerce: Commerce,
}

impl Scheduler {
    /// A scheduler for a shop.
    pub fn new(commerce: Commerce) -> Self {
        Self { commerce }
    }

    /// Does every job whenever it is due, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let jobs = Job::ALL.map(|job| self.repeat(job, stop.clone()));
        futures_util::future::join_all(jobs).await;
    }

    async fn repeat(&self, job: Job, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.run_once(job).await {
                tracing::warn!(%job, %error, "a job failed: it is tried again");
            }
            tokio::select! {
                biased;
                () = tokio::time::sleep(job.every()) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Does a job once unless another process is at it; answers how many things it did. What the store guards by itself is done although the lock
    /// service is unavailable.
    ///
    /// # Errors
    /// [`JobError`] if the store or the lock service failed.
    pub async fn run_once(&self, job: Job) -> Result<u64, JobError> {
        let held = match self.commerce.locks().try_lock(&[LockName::of("job", job)], Tenure::JOB).await {
            Ok(Some(held)) => held,
            Ok(None) => return Ok(0),
            Err(error) if job.is_guarded_by_the_store() => {
                tracing::warn!(error = %error.0, %job, "a job is done without its lock: the lock service is unavailable");
                return self.step(job, &[]).await.map(|(done, _more)| done);
            }
            Err(error) => return Err(error.into()),
        };
        let outcome = self.run_under(job, &held).await;
        if let Err(error) = held.release().await {
            tracing::warn!(error = %error.0, %job, "the lock of a job is held until the lock service is there again, or its lease is over");
        }
        outcome
    }

    async fn run_under(&self, job: Job, held: &HeldLock) -> Result<u64, JobError> {
        let mut done = 0;
        loop {
            let (count, more) = self.step(job, held.fences()).await?;
            done += count;
            if !more || held.is_lost() {
                return Ok(done);
            }
        }
    }

    /// A bounded part of a job: how many things it did, and whether more may be left.
    ///
    /// A step that goes on after the lock was lost does no harm: orders are ended under its fences, boards and gates are made under locks and fences
    /// of their own, requests for coupons are the same ones whoever hands them in again, and what housekeeping deletes is old for everybody.
    async fn step(&self, job: Job, fences: &[Fence]) -> Result<(u64, bool), JobError> {
        match job {
            Job::Ranking => {
                let keeper = self.commerce.ranking_keeper();
                let today = keeper.calendar.day_of(self.commerce.parts().clock.now());
                Ok((keeper.prepare(today).await?.unwrap_or(0), false))
            }
            Job::SweepCoupons => {
                let swept = self.commerce.sweep_coupons(SWEEP_REQUESTS_MAX).await? as u64;
                Ok((swept, swept >= u64::from(SWEEP_REQUESTS_MAX)))
            }
            Job::ExpireOrders => {
                let expired = self.commerce.expire_orders(EXPIRE_ORDERS_MAX, fences).await? as u64;
                Ok((expired, expired == u64::from(EXPIRE_ORDERS_MAX)))
            }
            Job::Housekeeping => {
                let parts = self.commerce.parts();
                let purged = parts.store.purge(parts.clock.now().minus(RETENTION), PURGE_ROWS_MAX).await.map_err(Arc::new)?;
                Ok((purged, purged >= u64::from(PURGE_ROWS_MAX)))
            }
        }
    }
}

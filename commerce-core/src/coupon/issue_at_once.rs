use super::{Coupon, Position, UserCoupon, UserCouponState};
use crate::guard::{Conditional, Contended, Ration, Rechecked, Share};
use crate::lock::LockName;
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending, order_of_arrival, order_of_locks};
use crate::{Clock, CouponId, ErrorCode, TaskId, Timestamp, UserCouponId, UserId};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Puts a coupon into a user's hands at once, without a gate and a request in between: for what is not rushed, or by a guard.
#[derive(Debug, Clone)]
pub struct IssueCoupon {
    /// The id the user's coupon is to have.
    pub id: UserCouponId,
    /// Names the request.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who is to have it.
    pub user_id: UserId,
}

/// Why a coupon is not issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The coupon does not exist or is not open yet.
    #[error("coupon {0} does not exist or is not open yet")]
    Inactive(CouponId),
    /// The coupon has expired.
    #[error("the coupon has expired")]
    Expired,
    /// There is no such user.
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
    /// The user has the coupon.
    #[error("you have this coupon already")]
    Duplicated,
    /// No coupon is left.
    #[error("no coupon is left")]
    OutOfStock,
}

impl IssueError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Inactive(_) => ErrorCode::InactiveCoupon,
            Self::Expired => ErrorCode::ExpiredCoupon,
            Self::UserNotFound(_) => ErrorCode::InactiveUser,
            Self::Duplicated => ErrorCode::DuplicatedCoupon,
            Self::OutOfStock => ErrorCode::OutOfStockCoupon,
        }
    }
}

/// The coupon, if it can be asked for.
fn open(coupon: Option<&Coupon>, id: CouponId, now: Timestamp) -> Result<&Coupon, IssueError> {
    let coupon = coupon.filter(|coupon| coupon.opens_at.is_none_or(|opens_at| opens_at <= now)).ok_or(IssueError::Inactive(id))?;
    if coupon.expired(now) { Err(IssueError::Expired) } else { Ok(coupon) }
}

/// The place after the last one; `None` after the last there can be.
fn place_after(last: Option<Position>) -> Option<Position> {
    last.map_or_else(|| Position::new(1), Position::next)
}

impl IssueCoupon {
    fn issued(&self, position: Position, now: Timestamp) -> UserCoupon {
        let Self { id, task_id, coupon_id, user_id } = *self;
        UserCoupon { id, user_id, coupon_id, state: UserCouponState::Issued, position, task_id, issued_at: now }
    }
}

/// The use case "issue a coupon at once"; the verdict is what the user holds. A gate that is open for the coupon has to be
/// [told](super::CouponGate::settle).
pub struct IssueCoupons {
    /// When a coupon is issued.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for IssueCoupons {
    type Command = IssueCoupon;
    type Verdict = Result<UserCoupon, IssueError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[IssueCoupon]) -> Result<Vec<Self::Verdict>, StoreError> {
        let mut counter = Counter::open(uow, batch, self.clock.now()).await?;
        let verdicts = batch.iter().map(|command| counter.decide(command)).collect();
        counter.close(uow).await?;
        Ok(verdicts)
    }
}

/// What is left is checked when it is taken; one coupon a user and one user a place are unique keys; the rest never changes.
impl Rechecked for IssueCoupons {}

impl Contended for IssueCoupons {
    fn contends_for(&self, command: &IssueCoupon) -> Vec<LockName> {
        vec![LockName::of("coupon", command.coupon_id)]
    }
}

/// What a batch is judged by.
struct Counter {
    now: Timestamp,
    coupons: Loaded<CouponId, Coupon>,
    users: HashSet<UserId>,
    holders: HashSet<(CouponId, UserId)>,
    last: HashMap<CouponId, Position>,
    issued: Vec<UserCoupon>,
}

impl Counter {
    async fn open(uow: &mut dyn UnitOfWork, batch: &[IssueCoupon], now: Timestamp) -> Result<Self, StoreError> {
        let ids = ascending(batch.iter().map(|command| command.coupon_id));
        let coupons = Loaded::new(uow.coupons().lock(&ids).await?, |coupon| coupon.id);
        let users = ascending(batch.iter().map(|command| command.user_id));
        let users = uow.users().existing(&users).await?.into_iter().collect();
        let pairs = ascending(batch.iter().map(|command| (command.coupon_id, command.user_id)));
        let holders = uow.coupons().holders(&pairs).await?.into_iter().collect();
        let mut last = HashMap::new();
        for id in ids {
            last.extend(uow.coupons().last_place(id).await?.map(|place| (id, place)));
        }
        Ok(Self { now, coupons, users, holders, last, issued: Vec::new() })
    }

    fn decide(&mut self, command: &IssueCoupon) -> Result<UserCoupon, IssueError> {
        let IssueCoupon { coupon_id, user_id, .. } = *command;
        open(self.coupons.get(coupon_id), coupon_id, self.now)?;
        if !self.users.contains(&user_id) {
            return Err(IssueError::UserNotFound(user_id));
        }
        if self.holders.contains(&(coupon_id, user_id)) {
            return Err(IssueError::Duplicated);
        }
        let position = place_after(self.last.get(&coupon_id).copied()).ok_or(IssueError::OutOfStock)?;
        let taken = self.coupons.change(coupon_id, |coupon| coupon.take_one().then_some(()).ok_or(IssueError::OutOfStock));
        taken.unwrap_or(Err(IssueError::OutOfStock))?;
        self.holders.insert((coupon_id, user_id));
        self.last.insert(coupon_id, position);
        let issued = command.issued(position, self.now);
        self.issued.push(issued.clone());
        Ok(issued)
    }

    async fn close(self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        if self.issued.is_empty() {
            return Ok(());
        }
        take_all(uow, &self.issued).await?;
        uow.coupons().issue(&self.issued).await
    }
}

/// Counts what is issued.
///
/// # Errors
/// [`StoreError::Conflict`] if fewer are left than there were.
pub(super) async fn take_all(uow: &mut dyn UnitOfWork, issued: &[UserCoupon]) -> Result<(), StoreError> {
    let mut counts = BTreeMap::<CouponId, u32>::new();
    for issued in issued {
        *counts.entry(issued.coupon_id).or_default() += 1;
    }
    for (coupon, count) in counts {
        if !uow.coupons().take(coupon, count).await? {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// The same use case, decided by the statement that takes one if one is left.
pub struct IssueCouponsInPlace {
    /// When a coupon is issued.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for IssueCouponsInPlace {
    type Command = IssueCoupon;
    type Verdict = Result<UserCoupon, IssueError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[IssueCoupon]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let mut verdicts = Vec::with_capacity(batch.len());
        for at in order_of_locks(batch, |command| command.coupon_id) {
            verdicts.push((at, issue_in_place(uow, &batch[at], now).await?));
        }
        Ok(order_of_arrival(verdicts))
    }
}

impl Conditional for IssueCouponsInPlace {}

async fn issue_in_place(
    uow: &mut dyn UnitOfWork,
    command: &IssueCoupon,
    now: Timestamp,
) -> Result<Result<UserCoupon, IssueError>, StoreError> {
    let IssueCoupon { coupon_id, user_id, .. } = *command;
    let coupon = uow.coupons().lock(&[coupon_id]).await?.pop();
    if let Err(refusal) = open(coupon.as_ref(), coupon_id, now) {
        return Ok(Err(refusal));
    }
    if uow.users().existing(&[user_id]).await?.is_empty() {
        return Ok(Err(IssueError::UserNotFound(user_id)));
    }
    if !uow.coupons().holders(&[(coupon_id, user_id)]).await?.is_empty() {
        return Ok(Err(IssueError::Duplicated));
    }
    if !uow.coupons().take(coupon_id, 1).await? {
        return Ok(Err(IssueError::OutOfStock));
    }
    // The coupon is locked from here on: nobody else gives places.
    let Some(position) = place_after(uow.coupons().last_place(coupon_id).await?) else { return Ok(Err(IssueError::OutOfStock)) };
    let issued = command.issued(position, now);
    uow.coupons().issue(std::slice::from_ref(&issued)).await?;
    Ok(Ok(issued))
}

/// Of each coupon as many can be issued as there are.
pub struct CouponRation;

#[async_trait]
impl Ration for CouponRation {
    type Command = IssueCoupon;
    type Verdict = Result<UserCoupon, IssueError>;

    fn share(&self, command: &IssueCoupon) -> Option<Share> {
        Some(Share { of: format!("coupon-{}", command.coupon_id), delta: -1 })
    }

    fn too_late(&self, _command: &IssueCoupon) -> Self::Verdict {
        Err(IssueError::OutOfStock)
    }

    fn is_done(&self, verdict: &Self::Verdict) -> bool {
        verdict.is_ok()
    }

    async fn left(&self, uow: &mut dyn UnitOfWork, command: &IssueCoupon) -> Result<Option<u64>, StoreError> {
        let coupon = uow.coupons().lock(&[command.coupon_id]).await?.pop();
        Ok(coupon.map(|coupon| u64::from(coupon.remaining())))
    }
}

use super::issue_at_once::take_all;
use super::{Coupon, CouponRequest, Position, RequestOutcome, UserCoupon, UserCouponState};
use crate::messaging::{CouponIssueFailed, CouponIssued, Envelope, Event, EventHandler, EventType, Group, Rejection};
use crate::store::{Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, CouponId, ErrorCode, TaskId, Timestamp, UserId};
use async_trait::async_trait;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The coupon issuer: puts coupons into the hands of those the gate admitted, in the order in which their requests arrive.
///
/// Here, and not at the gate, is decided who has a coupon: whatever the gate forgot, none is issued beyond the stock, and none twice to a user.
pub struct CouponIssuer {
    /// When a coupon is issued.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl EventHandler for CouponIssuer {
    fn group(&self) -> Group {
        Group::CouponIssuer
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::CouponIssueRequested]
    }

    async fn handle(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<Vec<Result<(), Rejection>>, StoreError> {
        let mut counter = Counter::open(uow, &tasks(events), self.clock.now()).await?;
        let mut decided = Vec::new();
        let mut appended = Vec::new();
        for envelope in events {
            let Event::CouponIssueRequested(asked) = &envelope.event else { continue };
            // A request that is decided was asked for again by somebody who did not know.
            if let Some(request) = counter.decide(asked.task_id) {
                appended.push(envelope.leads_to(outcome(&request), counter.now));
                decided.push(request);
            }
        }
        if !decided.is_empty() {
            counter.close(uow, &decided).await?;
            uow.outbox().append(appended).await?;
        }
        Ok(events.iter().map(|_| Ok(())).collect())
    }
}

fn tasks(events: &[Envelope]) -> Vec<TaskId> {
    let task = |envelope: &Envelope| match &envelope.event {
        Event::CouponIssueRequested(asked) => Some(asked.task_id),
        _ => None,
    };
    ascending(events.iter().filter_map(task))
}

fn outcome(request: &CouponRequest) -> Event {
    let CouponRequest { task_id, coupon_id, user_id, position, .. } = *request;
    match request.outcome {
        RequestOutcome::Failed { code, at } => Event::CouponIssueFailed(CouponIssueFailed { task_id, coupon_id, user_id, code, at }),
        RequestOutcome::Issued { at } => Event::CouponIssued(CouponIssued { task_id, coupon_id, user_id, position, at }),
        RequestOutcome::Pending => unreachable!("only decided requests have an outcome"),
    }
}

/// What a batch of requests is judged by.
struct Counter {
    now: Timestamp,
    requests: HashMap<TaskId, CouponRequest>,
    coupons: Loaded<CouponId, Coupon>,
    users: HashSet<UserId>,
    holders: HashSet<(CouponId, UserId)>,
    places: HashSet<(CouponId, Position)>,
    /// The last place of each coupon of which two requests claim the same one.
    last: HashMap<CouponId, Position>,
    issued: Vec<UserCoupon>,
}

impl Counter {
    async fn open(uow: &mut dyn UnitOfWork, tasks: &[TaskId], now: Timestamp) -> Result<Self, StoreError> {
        let requests: Vec<_> = uow.coupons().lock_requests(tasks).await?.into_iter().filter(CouponRequest::is_pending).collect();
        let mut counter = Self {
            now,
            coupons: Loaded::new(Vec::new(), |coupon: &Coupon| coupon.id),
            users: HashSet::new(),
            holders: HashSet::new(),
            places: HashSet::new(),
            last: HashMap::new(),
            issued: Vec::new(),
            requests: HashMap::new(),
        };
        if requests.is_empty() {
            return Ok(counter);
        }
        let coupon_ids = ascending(requests.iter().map(|request| request.coupon_id));
        counter.coupons = Loaded::new(uow.coupons().lock(&coupon_ids).await?, |coupon| coupon.id);
        let users = ascending(requests.iter().map(|request| request.user_id));
        counter.users = uow.users().existing(&users).await?.into_iter().collect();
        let pairs = ascending(requests.iter().map(|request| (request.coupon_id, request.user_id)));
        counter.holders = uow.coupons().holders(&pairs).await?.into_iter().collect();
        let places = ascending(requests.iter().map(|request| (request.coupon_id, request.position)));
        counter.places = uow.coupons().places_given(&places).await?.into_iter().collect();
        // A gate that forgot can have given a place again: the later request gets the next one.
        let claimed_twice = places.len() < requests.len() || !counter.places.is_empty();
        for coupon in coupon_ids.into_iter().filter(|_| claimed_twice) {
            let given = uow.coupons().last_place(coupon).await?;
            let claimed = requests.iter().filter(|request| request.coupon_id == coupon).map(|request| request.position).max();
            counter.last.extend(given.max(claimed).map(|last| (coupon, last)));
        }
        counter.requests = requests.into_iter().map(|request| (request.task_id, request)).collect();
        Ok(counter)
    }

    /// Decides a request; `None` if it is decided already.
    fn decide(&mut self, task: TaskId) -> Option<CouponRequest> {
        let mut request = self.requests.remove(&task)?;
        let at = self.now;
        request.outcome = match self.issue(&mut request) {
            Ok(()) => RequestOutcome::Issued { at },
            Err(code) => RequestOutcome::Failed { code, at },
        };
        Some(request)
    }

    fn issue(&mut self, request: &mut CouponRequest) -> Result<(), ErrorCode> {
        let CouponRequest { task_id, coupon_id, user_id, user_coupon_id, position, .. } = *request;
        if self.coupons.get(coupon_id).is_none() {
            return Err(ErrorCode::InactiveCoupon);
        }
        if !self.users.contains(&user_id) {
            return Err(ErrorCode::InactiveUser);
        }
        if self.holders.contains(&(coupon_id, user_id)) {
            return Err(ErrorCode::DuplicatedCoupon);
        }
        let position = if self.places.contains(&(coupon_id, position)) { self.next_place(coupon_id)? } else { position };
        let taken = self.coupons.change(coupon_id, |coupon| coupon.take_one().then_some(()).ok_or(()));
        if !matches!(taken, Some(Ok(()))) {
            return Err(ErrorCode::OutOfStockCoupon);
        }
        self.holders.insert((coupon_id, user_id));
        self.places.insert((coupon_id, position));
        request.position = position;
        let state = UserCouponState::Issued;
        self.issued.push(UserCoupon { id: user_coupon_id, user_id, coupon_id, state, position, task_id, issued_at: self.now });
        Ok(())
    }

    fn next_place(&mut self, coupon: CouponId) -> Result<Position, ErrorCode> {
        let next = self.last.get(&coupon).and_then(|last| last.next()).ok_or(ErrorCode::OutOfStockCoupon)?;
        self.last.insert(coupon, next);
        Ok(next)
    }

    async fn close(self, uow: &mut dyn UnitOfWork, decided: &[CouponRequest]) -> Result<(), StoreError> {
        if !self.issued.is_empty() {
            take_all(uow, &self.issued).await?;
            uow.coupons().issue(&self.issued).await?;
        }
        uow.coupons().save_requests(decided).await
    }
}

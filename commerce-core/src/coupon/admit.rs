use super::{CouponRequest, GateRefusal, Position, RequestOutcome};
use crate::messaging::{CouponIssueRequested, Event, NewEvent};
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, CouponId, TaskId, Timestamp, UserCouponId, UserId};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Asks for the coupon of a request that the gate has admitted. To ask again is safe: it helps if whoever asked first has crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmittedRequest {
    /// Names the request.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who asks.
    pub user_id: UserId,
    /// The id the user's coupon is to have.
    pub user_coupon_id: UserCouponId,
    /// The place the gate gave.
    pub position: Position,
    /// When it was admitted.
    pub admitted_at: Timestamp,
}

/// What the gate said about a request: a refusal is recorded only under an idempotency key.
#[derive(Debug, Clone)]
pub struct RequestCoupon {
    /// The request, or why it was not admitted.
    pub admission: Result<AdmittedRequest, GateRefusal>,
    /// The W3C `traceparent` of the request.
    pub trace_parent: Option<String>,
}

/// The use case "request coupon", behind the gate: keeps the request and asks the issuer, in one unit of work. From then on its outcome is
/// certain to come.
pub struct RequestCoupons {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for RequestCoupons {
    type Command = RequestCoupon;
    type Verdict = Result<CouponRequest, GateRefusal>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[RequestCoupon]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let tasks = ascending(batch.iter().filter_map(|command| command.admission.as_ref().ok()).map(|admitted| admitted.task_id));
        if tasks.is_empty() {
            return Ok(batch.iter().filter_map(|command| command.admission.err()).map(Err).collect());
        }
        let known = Loaded::new(uow.coupons().lock_requests(&tasks).await?, |request| request.task_id);
        let mut added = BTreeMap::new();
        let mut events = Vec::new();
        let mut decide = |RequestCoupon { admission, trace_parent }: &RequestCoupon| {
            let admitted = (*admission)?;
            let request = match known.get(admitted.task_id) {
                Some(request) => request.clone(),
                None => added.entry(admitted.task_id).or_insert_with(|| CouponRequest::from(admitted)).clone(),
            };
            if request.is_pending() {
                let event = Event::CouponIssueRequested(CouponIssueRequested::of(&request));
                events.push(NewEvent { occurred_at: now, trace_parent: trace_parent.clone(), event });
            }
            Ok(request)
        };
        let verdicts = batch.iter().map(&mut decide).collect();
        if !added.is_empty() {
            uow.coupons().insert_requests(&added.into_values().collect::<Vec<_>>()).await?;
        }
        if !events.is_empty() {
            uow.outbox().append(events).await?;
        }
        Ok(verdicts)
    }
}

/// The request as it was admitted, to ask for it again.
impl From<CouponRequest> for AdmittedRequest {
    fn from(request: CouponRequest) -> Self {
        let CouponRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at, .. } = request;
        Self { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at }
    }
}

impl From<AdmittedRequest> for CouponRequest {
    fn from(admitted: AdmittedRequest) -> Self {
        let AdmittedRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at } = admitted;
        Self { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at, outcome: RequestOutcome::Pending }
    }
}

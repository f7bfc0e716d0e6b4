use super::{CouponRequest, GateKeeper, GateRebuild, KeeperError, RequestOutcome, Settlement};
use crate::CouponId;
use crate::messaging::{Effect, EffectError, Envelope, Event, EventType, Group};
use crate::store::ascending;
use async_trait::async_trait;

/// Tells the gate what the issuer decided, and has it rebuilt where an operator asked for it.
pub struct GateSettler {
    /// Who has the gate.
    pub keeper: GateKeeper,
}

/// Whoever rebuilds it may have looked at the store before the operator asked: that does not count.
#[derive(Debug, thiserror::Error)]
#[error("the gate of coupon {0} is being rebuilt already")]
struct InOtherHands(CouponId);

#[async_trait]
impl Effect for GateSettler {
    fn group(&self) -> Group {
        Group::CouponGate
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::CouponIssued, EventType::CouponIssueFailed, EventType::GateRebuildAsked]
    }

    async fn apply(&self, events: &[Envelope]) -> Result<(), EffectError> {
        let settlements: Vec<_> = events.iter().filter_map(|envelope| settlement(&envelope.event)).collect();
        self.keeper.gate.settle(&settlements).await.map_err(EffectError::of)?;
        // What was settled is in the store: the order of the two makes no difference, and of several wishes for a coupon one is enough.
        let mut failure = None;
        for coupon in ascending(events.iter().filter_map(|envelope| asked_for(&envelope.event))) {
            if let Err(error) = self.rebuild(coupon).await {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

impl GateSettler {
    async fn rebuild(&self, coupon: CouponId) -> Result<(), EffectError> {
        match self.keeper.rebuild(coupon).await {
            Ok(GateRebuild::Open { .. } | GateRebuild::UnknownCoupon) => Ok(()),
            Ok(GateRebuild::InOtherHands) => Err(EffectError::of(InOtherHands(coupon))),
            // One coupon that cannot be read must not keep the others waiting; its gate stays closed, and is tried again as any closed gate is.
            Err(KeeperError::Store(error)) if !error.is_outage() => {
                tracing::error!(%error, coupon_id = coupon.get(), "the gate of a coupon cannot be rebuilt");
                Ok(())
            }
            Err(error) => Err(EffectError::of(error)),
        }
    }
}

fn asked_for(event: &Event) -> Option<CouponId> {
    match event {
        Event::GateRebuildAsked(asked) => Some(asked.coupon_id),
        _ => None,
    }
}

fn settlement(event: &Event) -> Option<Settlement> {
    match event {
        Event::CouponIssued(e) => {
            let issued = Some(e.position);
            Some(Settlement { coupon_id: e.coupon_id, task_id: e.task_id, user_id: e.user_id, issued, at: e.at })
        }
        Event::CouponIssueFailed(e) => {
            Some(Settlement { coupon_id: e.coupon_id, task_id: e.task_id, user_id: e.user_id, issued: None, at: e.at })
        }
        _ => None,
    }
}

impl Settlement {
    /// What became of a request; `None` while it is not decided.
    pub fn of(request: &CouponRequest) -> Option<Self> {
        let CouponRequest { task_id, coupon_id, user_id, position, .. } = *request;
        let (issued, at) = match request.outcome {
            RequestOutcome::Pending => return None,
            RequestOutcome::Issued { at } => (Some(position), at),
            RequestOutcome::Failed { at, .. } => (None, at),
        };
        Some(Self { coupon_id, task_id, user_id, issued, at })
    }
}

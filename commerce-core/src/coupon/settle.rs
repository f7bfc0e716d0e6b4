use super::{CouponGate, CouponRequest, RequestOutcome, Settlement};
use crate::messaging::{Effect, EffectError, Envelope, Event, EventType, Group};
use async_trait::async_trait;
use std::sync::Arc;

/// Tells the gate what the issuer decided.
pub struct GateSettler {
    /// The gate.
    pub gate: Arc<dyn CouponGate>,
}

#[async_trait]
impl Effect for GateSettler {
    fn group(&self) -> Group {
        Group::CouponGate
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::CouponIssued, EventType::CouponIssueFailed]
    }

    async fn apply(&self, events: &[Envelope]) -> Result<(), EffectError> {
        let settlements: Vec<_> = events.iter().filter_map(|envelope| settlement(&envelope.event)).collect();
        self.gate.settle(&settlements).await.map_err(EffectError::of)
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

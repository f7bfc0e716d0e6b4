use crate::messaging::{Event, GateRebuildAsked, NewEvent};
use crate::store::{Handler, StoreError, UnitOfWork};
use crate::{CouponId, Timestamp};
use async_trait::async_trait;

/// Asks whoever has the gate of a coupon to rebuild it.
#[derive(Debug, Clone, Copy)]
pub struct AskGateRebuild {
    /// The coupon.
    pub coupon_id: CouponId,
    /// When.
    pub now: Timestamp,
}

/// The use case "ask for a gate", of an operator whose process does not reach it: the [`GateSettler`](super::GateSettler) of the one that has it
/// hears of it.
pub struct AskGateRebuilds;

#[async_trait]
impl Handler for AskGateRebuilds {
    type Command = AskGateRebuild;
    type Verdict = ();

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[AskGateRebuild]) -> Result<Vec<()>, StoreError> {
        let asked = |command: &AskGateRebuild| {
            NewEvent::new(Event::GateRebuildAsked(GateRebuildAsked { coupon_id: command.coupon_id }), command.now)
        };
        uow.outbox().append(batch.iter().map(asked).collect()).await?;
        Ok(vec![(); batch.len()])
    }
}

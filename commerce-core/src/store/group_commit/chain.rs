use super::super::{StoreError, UnitOfWork};
use crate::messaging::{Envelope, Group};
use async_trait::async_trait;
use std::sync::Arc;

/// The longest chain of a saga is place, stock, coupon, order; events beyond go by message.
const ROUNDS_MAX: usize = 4;

/// Someone who handles events in the unit of work that appends them.
#[async_trait]
pub(crate) trait Follower: Send + Sync {
    /// On whose behalf.
    fn group(&self) -> Group;

    /// Handles those of the events that are its business. It MUST fail if it cannot handle one of them: they go by message then.
    async fn follow(&self, uow: &mut dyn UnitOfWork, events: &[Envelope]) -> Result<(), StoreError>;
}

/// Hands events that were just appended to the followers, then the events that they appended, and so on; answers whether there were any.
pub(super) async fn follow(uow: &mut dyn UnitOfWork, followers: &[Arc<dyn Follower>]) -> Result<bool, StoreError> {
    for round in 0..ROUNDS_MAX {
        let events = uow.outbox().appended().await?;
        if events.is_empty() {
            return Ok(round > 0);
        }
        for follower in followers {
            follower.follow(uow, &events).await?;
        }
    }
    Ok(true)
}

//! The events that are written.

use commerce_core::messaging::{Event, NewEvent, OrderCreated};
use commerce_core::order::{OrderLine, OrderLines, Quantity};
use commerce_core::store::{Store, StoreError};
use commerce_core::{OptionId, OrderId, Timestamp, UserId};

/// How many events a unit of work writes; as many as a full batch of orders.
pub(super) const WRITTEN_TOGETHER: u64 = 256;

/// Writes events in units of work, for so many orders in turn.
pub(super) async fn write(store: &dyn Store, events: u64, orders: u64) -> Result<(), StoreError> {
    let mut left = events;
    while left > 0 {
        let together = left.min(WRITTEN_TOGETHER);
        let mut uow = store.begin().await?;
        uow.outbox().append((0..together).map(|at| event((left - at) % orders)).collect()).await?;
        uow.commit().await?;
        left -= together;
    }
    Ok(())
}

fn event(order: u64) -> NewEvent {
    let id = i64::try_from(order).unwrap_or_default() + 1;
    let lines = [OrderLine { option_id: OptionId::new(id).expect("an id"), quantity: Quantity::new(1).expect("a quantity") }];
    let created = OrderCreated {
        order_id: OrderId::new(id).expect("an id"),
        user_id: UserId::new(id).expect("an id"),
        user_coupon_id: None,
        lines: OrderLines::merge(&lines).expect("a line"),
    };
    NewEvent::new(Event::OrderCreated(created), Timestamp::from_millis(0))
}

use crate::messaging::{Event, NewEvent, OrderClosed};
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, OrderId};
use async_trait::async_trait;
use std::sync::Arc;

/// Ends an order if its payment deadline has passed.
#[derive(Debug, Clone, Copy)]
pub struct ExpireOrder {
    /// The order.
    pub id: OrderId,
}

/// The use case "expire"; the verdict says whether the order was overdue still. What it holds goes back by the event.
pub struct ExpireOrders {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for ExpireOrders {
    type Command = ExpireOrder;
    type Verdict = bool;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[ExpireOrder]) -> Result<Vec<bool>, StoreError> {
        let now = self.clock.now();
        let orders = uow.orders().lock(&ascending(batch.iter().map(|command| command.id))).await?;
        let mut orders = Loaded::new(orders, |order| order.id);
        let mut events = Vec::new();
        let verdicts = batch
            .iter()
            .map(|command| {
                let expired = orders.change(command.id, |order| if order.expire(now) { Ok(OrderClosed::unpaid(order)) } else { Err(()) });
                let Some(Ok(closed)) = expired else { return false };
                events.push(NewEvent::new(Event::OrderExpired(closed), now));
                true
            })
            .collect();
        if !events.is_empty() {
            uow.orders().save(&orders.into_changed()).await?;
            uow.outbox().append(events).await?;
        }
        Ok(verdicts)
    }
}

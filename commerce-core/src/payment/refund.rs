use super::{Payment, PaymentError};
use crate::messaging::{Event, NewEvent, OrderClosed};
use crate::order::OrderError;
use crate::point::PointError;
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::user::Actor;
use crate::{Clock, PaymentId};
use async_trait::async_trait;
use std::sync::Arc;

/// Gives a payment back.
#[derive(Debug, Clone)]
pub struct RefundPayment {
    /// The payment.
    pub id: PaymentId,
    /// Who asks.
    pub actor: Actor,
    /// The W3C `traceparent` of the request.
    pub trace_parent: Option<String>,
}

/// The use case "refund": payment, order and points change in one unit of work, so that money is never between two places. Stock and coupon
/// go back by the event.
pub struct Refund {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Refund {
    type Command = RefundPayment;
    type Verdict = Result<Payment, PaymentError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[RefundPayment]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let ids = ascending(batch.iter().map(|command| command.id));
        // The orders are the locks: a payment is read again once the row that guards it is held.
        let orders = ascending(uow.payments().find(&ids).await?.iter().map(|payment| payment.order_id));
        let orders = uow.orders().lock(&orders).await?;
        let accounts = uow.points().lock(&ascending(orders.iter().map(|order| order.user_id))).await?;
        let mut payments = Loaded::new(uow.payments().find(&ids).await?, |payment| payment.id);
        let mut orders = Loaded::new(orders, |order| order.id);
        let mut accounts = Loaded::new(accounts, |account| account.user_id);
        let (mut entries, mut events) = (Vec::new(), Vec::new());

        let mut refund = |command: &RefundPayment| -> Result<Payment, PaymentError> {
            let payment = payments.get(command.id).filter(|payment| command.actor.may_act_for(payment.user_id));
            let mut payment = payment.cloned().ok_or(PaymentError::NotFound(command.id))?;
            payment.refund()?;
            let (order_id, user_id) = (payment.order_id, payment.user_id);
            // Everything that can be refused is tried on copies first: what was changed is saved.
            orders.get(order_id).ok_or(OrderError::NotFound(order_id))?.clone().refund(now)?;
            let given_back = accounts.change(user_id, |account| account.refund(payment.amount, order_id, now));
            entries.extend(given_back.unwrap_or(Err(PointError::UserNotFound(user_id)))?);
            let refunded = orders.change(order_id, |order| order.refund(now).map(|()| OrderClosed::refunded(order, &payment)));
            let event = Event::OrderRefunded(refunded.unwrap_or(Err(OrderError::NotFound(order_id)))?);
            events.push(NewEvent { occurred_at: now, trace_parent: command.trace_parent.clone(), event });
            payments.change(command.id, Payment::refund).transpose()?;
            Ok(payment)
        };
        let verdicts = batch.iter().map(&mut refund).collect();

        if !events.is_empty() {
            uow.payments().save(&payments.into_changed()).await?;
            uow.orders().save(&orders.into_changed()).await?;
            uow.points().save(&accounts.into_changed(), &entries).await?;
            uow.outbox().append(events).await?;
        }
        Ok(verdicts)
    }
}

use super::{Payment, PaymentError, PaymentMethod, PaymentStatus};
use crate::messaging::{Event, NewEvent, OrderPaid};
use crate::order::{Order, OrderError};
use crate::point::{NewPointEntry, PointAccount, PointError};
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, ErrorCode, Money, OrderId, PaymentId, Timestamp, UserId};
use async_trait::async_trait;
use std::sync::Arc;

/// Pays an order with points.
#[derive(Debug, Clone)]
pub struct PayOrder {
    /// The id the payment is to have.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Who pays; must be who placed the order.
    pub user_id: UserId,
    /// The W3C `traceparent` of the request.
    pub trace_parent: Option<String>,
}

/// The use case "pay": the order is completed, the points are taken and the payment is written in one unit of work. An attempt with too few
/// points leaves a failed payment.
pub struct Pay {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Pay {
    type Command = PayOrder;
    type Verdict = Result<Payment, PaymentError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[PayOrder]) -> Result<Vec<Self::Verdict>, StoreError> {
        let orders = uow.orders().lock(&ascending(batch.iter().map(|command| command.order_id))).await?;
        let accounts = uow.points().lock(&ascending(orders.iter().map(|order| order.user_id))).await?;
        let mut till = Till {
            now: self.clock.now(),
            orders: Loaded::new(orders, |order| order.id),
            accounts: Loaded::new(accounts, |account| account.user_id),
            entries: Vec::new(),
            payments: Vec::new(),
            events: Vec::new(),
        };
        let verdicts = batch.iter().map(|command| till.pay(command)).collect();
        till.save(uow).await?;
        Ok(verdicts)
    }
}

/// What the payments of a batch touch.
struct Till {
    now: Timestamp,
    orders: Loaded<OrderId, Order>,
    accounts: Loaded<UserId, PointAccount>,
    entries: Vec<NewPointEntry>,
    payments: Vec<Payment>,
    events: Vec<NewEvent>,
}

impl Till {
    fn pay(&mut self, command: &PayOrder) -> Result<Payment, PaymentError> {
        let PayOrder { order_id, user_id, ref trace_parent, .. } = *command;
        let order = self.orders.get(order_id).filter(|order| order.user_id == user_id).ok_or(OrderError::NotFound(order_id))?;
        order.check_payable(self.now)?;
        let total = order.total;

        let taken = self.accounts.change(user_id, |account| account.pay(total, order_id, self.now));
        match taken.unwrap_or(Err(PointError::UserNotFound(user_id))) {
            Ok(entry) => self.entries.extend(entry),
            Err(refusal) => {
                self.payments.push(self.payment(command, total, PaymentStatus::Failed, Some(refusal.code())));
                return Err(refusal.into());
            }
        }
        let now = self.now;
        let completed = self.orders.change(order_id, |order| order.complete(now).map(|()| OrderPaid::of(order, now)));
        let event = Event::OrderPaid(completed.unwrap_or(Err(OrderError::NotFound(order_id)))?);
        self.events.push(NewEvent { occurred_at: now, trace_parent: trace_parent.clone(), event });
        let payment = self.payment(command, total, PaymentStatus::Completed, None);
        self.payments.push(payment.clone());
        Ok(payment)
    }

    fn payment(&self, command: &PayOrder, amount: Money, status: PaymentStatus, failure: Option<ErrorCode>) -> Payment {
        let PayOrder { payment_id: id, order_id, user_id, .. } = *command;
        Payment { id, order_id, user_id, method: PaymentMethod::Point, amount, status, failure, at: self.now }
    }

    async fn save(self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        if !self.payments.is_empty() {
            uow.payments().insert(&self.payments).await?;
        }
        if !self.events.is_empty() {
            uow.orders().save(&self.orders.into_changed()).await?;
            uow.points().save(&self.accounts.into_changed(), &self.entries).await?;
            uow.outbox().append(self.events).await?;
        }
        Ok(())
    }
}

use super::State;
use super::state::{duplicate, insert_new, pick};
use crate::PaymentId;
use crate::payment::{Payment, PaymentRepository, PaymentStatus};
use crate::store::StoreError;
use async_trait::async_trait;

#[async_trait]
impl PaymentRepository for State {
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for payment in payments {
            insert_new(&mut self.payments, payment.id, payment.clone(), "payment")?;
            self.payments_by_order.insert((payment.order_id, payment.id));
            self.index_completed(payment)?;
        }
        Ok(())
    }

    async fn find(&mut self, ids: &[PaymentId]) -> Result<Vec<Payment>, StoreError> {
        Ok(pick(&self.payments, ids))
    }

    async fn save(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for payment in payments {
            let stored = self.payments.get_mut(&payment.id).ok_or(StoreError::Conflict)?;
            stored.status = payment.status;
            let stored = stored.clone();
            if self.completed_payment.get(&stored.order_id) == Some(&stored.id) {
                self.completed_payment.remove(&stored.order_id);
            }
            self.index_completed(&stored)?;
        }
        Ok(())
    }
}

impl State {
    fn index_completed(&mut self, payment: &Payment) -> Result<(), StoreError> {
        let completed = payment.status == PaymentStatus::Completed;
        if completed && self.completed_payment.insert(payment.order_id, payment.id).is_some() {
            return Err(duplicate("completed payment of an order"));
        }
        Ok(())
    }
}

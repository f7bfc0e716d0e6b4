use super::statements::{Guard, Update, insert, select_in, update};
use super::{Backend, Fields, SqlUnitOfWork};
use async_trait::async_trait;
use commerce_core::payment::{Payment, PaymentMethod, PaymentRepository, PaymentStatus};
use commerce_core::store::StoreError;
use commerce_core::{ErrorCode, PaymentId};

pub(super) const COLUMNS: &str = "id, order_id, user_id, method, amount, status, failure, created_at";
const SAVE: Update = Update { table: "payments", key: "id", columns: &["status", "completed_order_id"], guard: Guard::Exists };

/// Reads [`COLUMNS`].
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Payment, StoreError> {
    Ok(Payment {
        id: row.whole()?,
        order_id: row.whole()?,
        user_id: row.whole()?,
        method: row.word(PaymentMethod::parse)?,
        amount: row.money()?,
        status: row.word(PaymentStatus::parse)?,
        failure: row.opt_code()?,
        at: row.at()?,
    })
}

/// The order, while the payment completes it: the column is unique.
fn completed_order_id(payment: &Payment) -> Option<i64> {
    (payment.status == PaymentStatus::Completed).then(|| payment.order_id.get())
}

#[async_trait]
impl<DB: Backend> PaymentRepository for SqlUnitOfWork<DB> {
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        let columns = "id, order_id, user_id, method, amount, status, failure, created_at, completed_order_id";
        let added = insert(self.link(), "payments", columns, payments, |mut row, payment| {
            row.push_bind(payment.id.get());
            row.push_bind(payment.order_id.get());
            row.push_bind(payment.user_id.get());
            row.push_bind(payment.method.as_str());
            row.push_bind(payment.amount.krw());
            row.push_bind(payment.status.as_str());
            row.push_bind(payment.failure.map(ErrorCode::as_str).map(str::to_owned));
            row.push_bind(payment.at.millis());
            row.push_bind(completed_order_id(payment));
        });
        added.await.map(drop)
    }

    async fn find(&mut self, ids: &[PaymentId]) -> Result<Vec<Payment>, StoreError> {
        let head = format!("SELECT {COLUMNS} FROM payments WHERE id IN");
        select_in(self.link(), &head, ids.iter().map(|id| id.get()), " ORDER BY id", read).await
    }

    async fn save(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        let updated = update(self.link(), &SAVE, payments, |payment| {
            [payment.id.get().into(), payment.status.as_str().into(), completed_order_id(payment).into()]
        });
        updated.await
    }
}

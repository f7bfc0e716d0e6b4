use super::statements::{Guard, Shift, Update, by_key, insert, select_in, shift, update};
use super::{Backend, Fields, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::point::{NewPointEntry, PointAccount, PointEntry, PointKind, PointRepository};
use commerce_core::store::StoreError;
use commerce_core::{Money, UserId};

pub(super) const ACCOUNT_COLUMNS: &str = "user_id, balance, version";
pub(super) const ENTRY_COLUMNS: &str = "id, user_id, kind, amount, balance_after, order_id, idempotency_key, created_at";
const SAVE: Update = Update { table: "point_accounts", key: "user_id", columns: &["balance"], guard: Guard::Version };
const SHIFT: Shift = Shift { table: "point_accounts", key: "user_id", column: "balance", max: Money::MAX.krw() };

/// Reads [`ACCOUNT_COLUMNS`].
pub(super) fn read_account<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<PointAccount, StoreError> {
    Ok(PointAccount { user_id: row.whole()?, balance: row.money()?, version: row.whole()? })
}

/// Reads [`ENTRY_COLUMNS`].
pub(super) fn read_entry<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<PointEntry, StoreError> {
    Ok(PointEntry {
        id: row.whole()?,
        change: NewPointEntry {
            user_id: row.whole()?,
            kind: row.word(PointKind::parse)?,
            amount: row.money()?,
            balance_after: row.money()?,
            order_id: row.opt_whole()?,
            idempotency_key: row.opt_text()?,
            at: row.at()?,
        },
    })
}

#[async_trait]
impl<DB: Backend> PointRepository for SqlUnitOfWork<DB> {
    async fn lock(&mut self, users: &[UserId]) -> Result<Vec<PointAccount>, StoreError> {
        let head = format!("SELECT {ACCOUNT_COLUMNS} FROM point_accounts{} WHERE user_id IN", by_key::<DB>());
        let tail = format!(" ORDER BY user_id{}", self.for_update());
        select_in(self.link(), &head, users.iter().map(|id| id.get()), &tail, read_account).await
    }

    async fn open(&mut self, accounts: &[PointAccount]) -> Result<(), StoreError> {
        let added = insert(self.link(), "point_accounts", ACCOUNT_COLUMNS, accounts, |mut row, account| {
            row.push_bind(account.user_id.get());
            row.push_bind(account.balance.krw());
            row.push_bind(i64::from(account.version));
        });
        added.await.map(drop)
    }

    async fn save(&mut self, accounts: &[PointAccount], entries: &[NewPointEntry]) -> Result<(), StoreError> {
        let updated = update(self.link(), &SAVE, accounts, |account| {
            [account.user_id.get().into(), account.balance.krw().into(), account.version.into()]
        });
        updated.await?;
        let columns = "user_id, kind, amount, balance_after, order_id, idempotency_key, created_at";
        let added = insert(self.link(), "point_entries", columns, entries, |mut row, entry| {
            row.push_bind(entry.user_id.get());
            row.push_bind(entry.kind.as_str());
            row.push_bind(entry.amount.krw());
            row.push_bind(entry.balance_after.krw());
            row.push_bind(entry.order_id.map(i64::from));
            row.push_bind(entry.idempotency_key.clone());
            row.push_bind(entry.at.millis());
        });
        added.await.map(drop)
    }

    async fn shift(&mut self, user: UserId, delta: i64) -> Result<Option<Money>, StoreError> {
        let balance = shift(self.link(), &SHIFT, user.get(), delta).await?;
        balance.map(Money::new).transpose().map_err(corrupt)
    }
}

use super::statements::{Guard, Shift, Update, by_key, insert, select_in, shift, update};
use super::{Backend, Fields, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::point::{NewPointEntry, PointAccount, PointEntry, PointKind, PointRepository};
use commerce_core::store::StoreError;
use commerce_core::{Money, UserId};
use std::collections::BTreeSet;

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

/// An account that a unit of work has locked.
pub(super) struct Kept {
    /// As it is now.
    account: PointAccount,
    /// The version that is stored: it is behind while changes wait for the commit.
    stored_version: u32,
}

impl<DB: Backend> SqlUnitOfWork<DB> {
    /// Writes what has become of the accounts, and the entries that say why: those of every handler of a batch by one statement each.
    pub(super) async fn write_points(&mut self) -> Result<(), StoreError> {
        let changed = self.accounts.values_mut().filter(|kept| kept.account.version != kept.stored_version);
        let changed: Vec<PointAccount> = changed
            .map(|kept| {
                // However often it was saved, it is stored once.
                let version = kept.stored_version;
                (kept.account.version, kept.stored_version) = (version + 1, version + 1);
                PointAccount { version, ..kept.account.clone() }
            })
            .collect();
        self.update_accounts(&changed).await?;
        let entries = std::mem::take(&mut self.point_entries);
        let columns = "user_id, kind, amount, balance_after, order_id, idempotency_key, created_at";
        let added = insert(self.link(), "point_entries", columns, &entries, |mut row, entry| {
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

    async fn update_accounts(&mut self, accounts: &[PointAccount]) -> Result<(), StoreError> {
        let updated = update(self.link(), &SAVE, accounts, |account| {
            [account.user_id.get().into(), account.balance.krw().into(), account.version.into()]
        });
        updated.await
    }
}

#[async_trait]
impl<DB: Backend> PointRepository for SqlUnitOfWork<DB> {
    async fn lock(&mut self, users: &[UserId]) -> Result<Vec<PointAccount>, StoreError> {
        let unknown: Vec<_> = users.iter().filter(|user| !self.accounts.contains_key(user)).map(|user| user.get()).collect();
        let head = format!("SELECT {ACCOUNT_COLUMNS} FROM point_accounts{} WHERE user_id IN", by_key::<DB>());
        let for_update = self.for_update();
        let read = select_in(self.link(), &head, unknown, &format!(" ORDER BY user_id{for_update}"), read_account).await?;
        if for_update != DB::FOR_UPDATE {
            // They are read, and not locked: what they are the next time is for the store to say.
            return Ok(read);
        }
        self.accounts.extend(read.into_iter().map(|account| {
            let stored_version = account.version;
            (account.user_id, Kept { account, stored_version })
        }));
        let users: BTreeSet<_> = users.iter().collect();
        Ok(users.into_iter().filter_map(|user| self.accounts.get(user)).map(|kept| kept.account.clone()).collect())
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
        if accounts.iter().any(|account| self.accounts.get(&account.user_id).is_some_and(|kept| kept.account.version != account.version)) {
            return Err(StoreError::Conflict);
        }
        let (kept, others): (Vec<_>, Vec<_>) = accounts.iter().cloned().partition(|account| self.accounts.contains_key(&account.user_id));
        self.update_accounts(&others).await?;
        for account in kept {
            if let Some(kept) = self.accounts.get_mut(&account.user_id) {
                kept.account = PointAccount { version: account.version + 1, ..account };
            }
        }
        self.point_entries.extend_from_slice(entries);
        Ok(())
    }

    async fn shift(&mut self, user: UserId, delta: i64) -> Result<Option<Money>, StoreError> {
        // It is changed where it is stored: what was known of it counts no more.
        self.write_points().await?;
        self.accounts.remove(&user);
        let balance = shift(self.link(), &SHIFT, user.get(), delta).await?;
        balance.map(Money::new).transpose().map_err(corrupt)
    }
}

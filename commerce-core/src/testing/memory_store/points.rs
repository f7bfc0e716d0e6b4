use super::State;
use super::state::{insert_new, pick};
use crate::point::{NewPointEntry, PointAccount, PointEntry, PointRepository};
use crate::store::StoreError;
use crate::{Money, UserId};
use async_trait::async_trait;

#[async_trait]
impl PointRepository for State {
    async fn lock(&mut self, users: &[UserId]) -> Result<Vec<PointAccount>, StoreError> {
        Ok(pick(&self.accounts, users))
    }

    async fn open(&mut self, accounts: &[PointAccount]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for account in accounts {
            insert_new(&mut self.accounts, account.user_id, account.clone(), "point account")?;
        }
        Ok(())
    }

    async fn save(&mut self, accounts: &[PointAccount], entries: &[NewPointEntry]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for account in accounts {
            let stored = self.accounts.get_mut(&account.user_id).filter(|stored| stored.version == account.version);
            *stored.ok_or(StoreError::Conflict)? = PointAccount { version: account.version + 1, ..account.clone() };
        }
        for change in entries {
            let id = self.next_id()?;
            self.point_entries.insert((change.user_id, id), PointEntry { id, change: change.clone() });
        }
        Ok(())
    }

    async fn shift(&mut self, user: UserId, delta: i64) -> Result<Option<Money>, StoreError> {
        self.begin_to_write().await?;
        let Some(stored) = self.accounts.get_mut(&user) else { return Ok(None) };
        let Ok(balance) = Money::new(stored.balance.krw().saturating_add(delta)) else { return Ok(None) };
        *stored = PointAccount { balance, version: stored.version + 1, ..*stored };
        Ok(Some(balance))
    }
}

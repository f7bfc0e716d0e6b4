use super::State;
use super::state::{insert_new, pick};
use crate::UserId;
use crate::point::{NewPointEntry, PointAccount, PointEntry, PointRepository};
use crate::store::StoreError;
use async_trait::async_trait;

#[async_trait]
impl PointRepository for State {
    async fn lock(&mut self, users: &[UserId]) -> Result<Vec<PointAccount>, StoreError> {
        Ok(pick(&self.accounts, users))
    }

    async fn open(&mut self, accounts: &[PointAccount]) -> Result<(), StoreError> {
        for account in accounts {
            insert_new(&mut self.accounts, account.user_id, account.clone(), "point account")?;
        }
        Ok(())
    }

    async fn save(&mut self, accounts: &[PointAccount], entries: &[NewPointEntry]) -> Result<(), StoreError> {
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
}

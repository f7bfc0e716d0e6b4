use super::State;
use super::state::{duplicate, insert_new, pick};
use crate::UserId;
use crate::store::StoreError;
use crate::user::{Email, User, UserRepository};
use async_trait::async_trait;

#[async_trait]
impl UserRepository for State {
    async fn lock(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        Ok(pick(&self.users, ids))
    }

    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        Ok(pick(&self.users, ids).into_iter().map(|user| user.id).collect())
    }

    async fn taken(&mut self, emails: &[Email]) -> Result<Vec<String>, StoreError> {
        Ok(emails.iter().map(Email::unique_key).filter(|key| self.user_by_email.contains_key(key)).collect())
    }

    async fn insert(&mut self, users: &[User]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for user in users {
            if self.user_by_email.insert(user.email.unique_key(), user.id).is_some() {
                return Err(duplicate("email"));
            }
            insert_new(&mut self.users, user.id, user.clone(), "user")?;
        }
        Ok(())
    }

    async fn update(&mut self, users: &[User]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for user in users {
            let stored = self.users.get_mut(&user.id).ok_or(StoreError::Conflict)?;
            stored.name = user.name.clone();
            stored.updated_at = user.updated_at;
        }
        Ok(())
    }
}

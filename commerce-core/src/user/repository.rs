use super::{Email, User};
use crate::UserId;
use crate::store::StoreError;
use async_trait::async_trait;

/// The users of a unit of work.
#[async_trait]
pub trait UserRepository: Send {
    /// The users with these ids, locked until the unit of work ends, in ascending id order; unknown ids are left out.
    async fn lock(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError>;

    /// Which of these ids are users, without locking them, in ascending order.
    async fn existing(&mut self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError>;

    /// Which of these addresses are taken, as [`Email::unique_key`]s.
    async fn taken(&mut self, emails: &[Email]) -> Result<Vec<String>, StoreError>;

    /// Adds users.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an id, or an address ignoring case, exists.
    async fn insert(&mut self, users: &[User]) -> Result<(), StoreError>;

    /// Writes the name and the time of change of existing users.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] if one of them does not exist.
    async fn update(&mut self, users: &[User]) -> Result<(), StoreError>;
}

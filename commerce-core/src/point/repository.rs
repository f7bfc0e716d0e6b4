use super::{NewPointEntry, PointAccount};
use crate::store::StoreError;
use crate::{Money, UserId};
use async_trait::async_trait;

/// The point accounts of a unit of work.
#[async_trait]
pub trait PointRepository: Send {
    /// The accounts of these users, locked until the unit of work ends, in ascending id order; users without one are left out.
    async fn lock(&mut self, users: &[UserId]) -> Result<Vec<PointAccount>, StoreError>;

    /// Adds the accounts of new users.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if a user has one.
    async fn open(&mut self, accounts: &[PointAccount]) -> Result<(), StoreError>;

    /// Writes accounts and appends what changed them to the ledger, in the order given. The stored version becomes `version + 1`.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] unless every stored version still is the `version` that was read.
    async fn save(&mut self, accounts: &[PointAccount], entries: &[NewPointEntry]) -> Result<(), StoreError>;

    /// Adds `delta` points to the balance of a user by one statement, if it stays from 0 to [`Money::MAX`](crate::Money::MAX), and answers what it is
    /// then; `None`, and nothing is changed, if it would not, or if there is no account. The row is locked from then on, and its version rises.
    /// The ledger entry is left to [`save`](Self::save), which takes entries without accounts.
    async fn shift(&mut self, user: UserId, delta: i64) -> Result<Option<Money>, StoreError>;
}

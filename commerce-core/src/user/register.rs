use super::{Email, PasswordHash, Role, User, UserError, UserName};
use crate::point::PointAccount;
use crate::store::{Handler, StoreError, UnitOfWork};
use crate::{Clock, UserId};
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;

/// Makes a user.
#[derive(Debug, Clone)]
pub struct RegisterUser {
    /// The id it is to have.
    pub id: UserId,
    /// The display name.
    pub name: UserName,
    /// The address it logs in with.
    pub email: Email,
    /// The hash of its password.
    pub password_hash: PasswordHash,
    /// What it may do.
    pub role: Role,
}

/// The use case "register": a user and its empty point account.
pub struct Register {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Register {
    type Command = RegisterUser;
    type Verdict = Result<User, UserError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[RegisterUser]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let emails: Vec<_> = batch.iter().map(|command| command.email.clone()).collect();
        let mut taken: HashSet<_> = uow.users().taken(&emails).await?.into_iter().collect();
        let verdicts: Vec<_> = batch
            .iter()
            .map(|RegisterUser { id, name, email, password_hash, role }| {
                if !taken.insert(email.unique_key()) {
                    return Err(UserError::DuplicateEmail);
                }
                let (name, email, password_hash) = (name.clone(), email.clone(), password_hash.clone());
                Ok(User { id: *id, name, email, password_hash, role: *role, created_at: now, updated_at: now })
            })
            .collect();
        let users: Vec<_> = verdicts.iter().flatten().cloned().collect();
        if !users.is_empty() {
            uow.users().insert(&users).await?;
            uow.points().open(&users.iter().map(|user| PointAccount::open(user.id)).collect::<Vec<_>>()).await?;
        }
        Ok(verdicts)
    }
}

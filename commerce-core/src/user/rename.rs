use super::{User, UserError, UserName};
use crate::store::{Handler, Loaded, StoreError, UnitOfWork, ascending};
use crate::{Clock, UserId};
use async_trait::async_trait;
use std::sync::Arc;

/// Gives a user another name.
#[derive(Debug, Clone)]
pub struct RenameUser {
    /// The user.
    pub id: UserId,
    /// The name.
    pub name: UserName,
}

/// The use case "rename".
pub struct Rename {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for Rename {
    type Command = RenameUser;
    type Verdict = Result<User, UserError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[RenameUser]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let users = uow.users().lock(&ascending(batch.iter().map(|command| command.id))).await?;
        let mut users = Loaded::new(users, |user| user.id);
        let verdicts = batch
            .iter()
            .map(|command| {
                let renamed = users.change(command.id, |user| {
                    user.rename(command.name.clone(), now);
                    Ok(user.clone())
                });
                renamed.unwrap_or(Err(UserError::NotFound(command.id)))
            })
            .collect();
        let changed = users.into_changed();
        if !changed.is_empty() {
            uow.users().update(&changed).await?;
        }
        Ok(verdicts)
    }
}

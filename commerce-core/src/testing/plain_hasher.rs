use crate::user::{Password, PasswordError, PasswordHash, PasswordHasher};
use async_trait::async_trait;

const PREFIX: &str = "plain:";

/// A hasher that hides nothing and costs nothing: for tests only, where argon2id would take most of the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainHasher;

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        Ok(PasswordHash::new(format!("{PREFIX}{}", password.expose())))
    }

    async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<bool, PasswordError> {
        Ok(hash.is_some_and(|hash| hash.expose().strip_prefix(PREFIX) == Some(password.expose())))
    }
}

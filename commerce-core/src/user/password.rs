use async_trait::async_trait;
use std::fmt;

/// The fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 5;
/// The most characters of a password.
pub const PASSWORD_CHARS_MAX: usize = 72;

/// A clear password of 5–72 characters on its way to the hasher. It is never written anywhere, `Debug` included.
#[derive(Clone)]
pub struct Password(String);

/// Why a password could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The length is outside 5–72 characters.
    #[error("the password must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")]
    InvalidLength,
    /// The hasher failed, or too many hashes are being computed.
    #[error("passwords cannot be checked right now: try again later")]
    Unavailable,
}

impl Password {
    /// Checks the length of a clear password.
    ///
    /// # Errors
    /// [`PasswordError::InvalidLength`] outside 5–72 characters.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let fits = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&text.chars().count());
        if fits { Ok(Self(text.to_owned())) } else { Err(PasswordError::InvalidLength) }
    }

    /// The clear text, for the hasher only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// An argon2id hash in PHC string form. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash made by a [`PasswordHasher`].
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for the hasher and the store only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Makes and checks password hashes.
///
/// An implementation MUST bound how many hashes it computes at once, and MUST NOT block the caller's thread.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// [`PasswordError::Unavailable`] if no hash could be computed.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError>;

    /// Whether `password` belongs to `hash`. With no hash it MUST take as long as with one and answer no, so that nobody can tell
    /// from the time whether a user exists.
    ///
    /// # Errors
    /// [`PasswordError::Unavailable`] if no hash could be computed.
    async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<bool, PasswordError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_5_to_72_characters_and_is_never_shown() {
        assert!(Password::parse("1234").is_err());
        assert!(Password::parse(&"가".repeat(72)).is_ok());
        assert!(Password::parse(&"a".repeat(73)).is_err());
        assert_eq!(format!("{:?}", Password::parse("secret").unwrap()), "Password(…)");
        assert_eq!(format!("{:?}", PasswordHash::new("$argon2id$…".into())), "PasswordHash(…)");
    }
}

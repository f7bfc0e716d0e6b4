use crate::{ErrorCode, Timestamp, UserId};
use std::fmt;

use super::PasswordHash;

const NAME_CHARS_MIN: usize = 2;
const NAME_CHARS_MAX: usize = 20;
const EMAIL_BYTES_MAX: usize = 254;

/// Why a user cannot be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The name is not 2–20 characters once trimmed.
    #[error("the name must have {NAME_CHARS_MIN} to {NAME_CHARS_MAX} characters")]
    InvalidName,
    /// The text is no e-mail address.
    #[error("the e-mail address must have one @ with text on both sides, no white space, and at most {EMAIL_BYTES_MAX} bytes")]
    InvalidEmail,
    /// Another user has this e-mail address, ignoring case.
    #[error("this e-mail address is taken: log in, or use another one")]
    DuplicateEmail,
    /// There is no such user.
    #[error("user {0} does not exist")]
    NotFound(UserId),
}

impl UserError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidName => ErrorCode::InvalidUserName,
            Self::InvalidEmail => ErrorCode::InvalidUserEmail,
            Self::DuplicateEmail => ErrorCode::DuplicateEmail,
            Self::NotFound(_) => ErrorCode::InactiveUser,
        }
    }
}

/// A display name: 2–20 Unicode scalar values after trimming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`UserError::InvalidName`] for fewer than 2 or more than 20 characters, or a control character.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let name = text.trim();
        let length = name.chars().count();
        let fits = (NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&length) && !name.contains(char::is_control);
        if fits { Ok(Self(name.to_owned())) } else { Err(UserError::InvalidName) }
    }

    /// The trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address as its owner wrote it; unique ignoring case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks an address.
    ///
    /// # Errors
    /// [`UserError::InvalidEmail`] past 254 bytes, without exactly one `@` between two texts, or with white space or control characters.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let email = text.trim();
        let parts = email.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
        let odd = email.contains(|c: char| c.is_whitespace() || c.is_control());
        if parts.is_some() && !odd && email.len() <= EMAIL_BYTES_MAX { Ok(Self(email.to_owned())) } else { Err(UserError::InvalidEmail) }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two addresses are compared: two that differ in case only are the same.
    pub fn unique_key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Buys for itself.
    Customer,
    /// Runs the shop, and may act for every user.
    Admin,
}

impl Role {
    /// The role as it is stored: `CUSTOMER` or `ADMIN`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Admin => "ADMIN",
        }
    }

    /// Reads `CUSTOMER` or `ADMIN`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Customer, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A registered user. Its clear password exists nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The display name.
    pub name: UserName,
    /// The address it logs in with.
    pub email: Email,
    /// The argon2id hash of its password.
    pub password_hash: PasswordHash,
    /// What it may do.
    pub role: Role,
    /// When it registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Gives the user another name.
    pub fn rename(&mut self, name: UserName, now: Timestamp) {
        self.name = name;
        self.updated_at = now;
    }
}

/// On whose behalf a use case runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A customer, who may act for itself only.
    Customer(UserId),
    /// An administrator, or a caller whom nobody checks: may act for every user.
    Admin,
}

impl Actor {
    /// Whether this actor may see and change what belongs to `owner`.
    pub fn may_act_for(self, owner: UserId) -> bool {
        match self {
            Self::Customer(id) => id == owner,
            Self::Admin => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_2_to_20_characters_once_trimmed() {
        assert_eq!(UserName::parse(" 가 "), Err(UserError::InvalidName));
        assert_eq!(UserName::parse("  가나 ").unwrap().as_str(), "가나");
        assert!(UserName::parse(&"😀".repeat(20)).is_ok());
        assert_eq!(UserName::parse(&"a".repeat(21)), Err(UserError::InvalidName));
        assert_eq!(UserName::parse("a\0b"), Err(UserError::InvalidName));
    }

    #[test]
    fn an_email_has_one_at_sign_and_fits_in_254_bytes() {
        assert!(Email::parse("a@b").is_ok());
        for wrong in ["", "@", "a@", "@b", "a@b@c", "ab", "a b@c", "a@b\n.c"] {
            assert_eq!(Email::parse(wrong), Err(UserError::InvalidEmail), "{wrong:?}");
        }
        assert!(Email::parse(&format!("{}@{}", "a".repeat(126), "b".repeat(127))).is_ok());
        assert!(Email::parse(&format!("{}@{}", "a".repeat(127), "b".repeat(127))).is_err());
    }

    #[test]
    fn emails_that_differ_in_case_are_the_same() {
        assert_eq!(Email::parse("Kim@Shop.KR").unwrap().unique_key(), Email::parse("kim@shop.kr").unwrap().unique_key());
    }

    #[test]
    fn a_customer_acts_for_itself_only() {
        let [one, two] = [1, 2].map(|id| UserId::new(id).unwrap());
        assert!(Actor::Customer(one).may_act_for(one));
        assert!(!Actor::Customer(one).may_act_for(two));
        assert!(Actor::Admin.may_act_for(two));
    }
}

use crate::store::StoreError;
use crate::{Timestamp, UserId};
use async_trait::async_trait;

const KEY_CHARS_MAX: usize = 255;

/// A key that cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key must have 1 to {KEY_CHARS_MAX} printable ASCII characters")]
pub struct InvalidKey;

/// A key of 1–255 printable ASCII characters, chosen by the client for one change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a key.
    ///
    /// # Errors
    /// [`InvalidKey`] if it is empty, longer than 255 characters, or not printable ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if (1..=KEY_CHARS_MAX).contains(&text.len()) && printable { Ok(Self(text.to_owned())) } else { Err(InvalidKey) }
    }

    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose key it is: the same key of two callers names two changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOwner {
    /// A caller whom nobody checked.
    Anyone,
    /// A user.
    User(UserId),
}

impl KeyOwner {
    /// The owner as it is stored: 0 for anyone, else the user's id.
    pub const fn as_i64(self) -> i64 {
        match self {
            Self::Anyone => 0,
            Self::User(id) => id.get(),
        }
    }
}

/// A key and the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose key it is.
    pub owner: KeyOwner,
    /// The key.
    pub key: IdempotencyKey,
    /// Tells the request from others: a keyed hash of its method, path and body.
    pub fingerprint: [u8; 32],
}

/// An answer as it went to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The status code.
    pub status: u16,
    /// The value of the `Location` header, if there was one.
    pub location: Option<String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// A key, the request it came with, and the answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The key and its request.
    pub claim: Claim,
    /// The answer.
    pub answer: StoredAnswer,
    /// When it was given.
    pub at: Timestamp,
}

/// The idempotency records of a unit of work.
#[async_trait]
pub trait IdempotencyRepository: Send {
    /// The records of these owners and keys, in any order; unknown ones are left out. Fingerprints are not compared.
    async fn find(&mut self, claims: &[Claim]) -> Result<Vec<IdempotencyRecord>, StoreError>;

    /// Adds records.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`] if an owner has the key already.
    async fn insert(&mut self, records: &[IdempotencyRecord]) -> Result<(), StoreError>;

    /// Writes another answer into a record.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Conflict`] if there is no record of this owner and key.
    async fn replace(&mut self, record: &IdempotencyRecord) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_255_printable_characters() {
        assert_eq!(IdempotencyKey::parse(""), Err(InvalidKey));
        assert!(IdempotencyKey::parse(&"k".repeat(255)).is_ok());
        assert_eq!(IdempotencyKey::parse(&"k".repeat(256)), Err(InvalidKey));
        assert_eq!(IdempotencyKey::parse("a\nb"), Err(InvalidKey));
    }
}

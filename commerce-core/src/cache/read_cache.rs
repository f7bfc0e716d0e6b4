use async_trait::async_trait;
use std::error::Error;
use std::time::Duration;

/// Why a cache could not answer. Nobody has to wait for it: what it keeps can be had elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("the cache is unavailable")]
pub struct CacheError(#[from] pub Box<dyn Error + Send + Sync>);

/// The right to fill a key: who does not know it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillRight(pub u64);

/// What a reader found under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// What is kept there.
    Found(Vec<u8>),
    /// Nothing, and this reader is the one to fill it.
    Granted(FillRight),
    /// Nothing yet: another reader has the right to fill it.
    Taken,
}

/// Keeps bytes under keys for a bounded time, for the readers of one process or of all.
///
/// A cache MAY forget anything at any time. What it never does is to show what was read before the key was forgotten: a reader who began before that
/// fills in vain, because its right has ended.
#[async_trait]
pub trait ReadCache: Send + Sync {
    /// Looks under each of these distinct keys, and answers in their order. Under a key where nothing is kept and nobody has the right to fill it, the
    /// reader gets that right, for `lease`. Of any number of readers who look at once one MUST get it, and no other one before it ends.
    ///
    /// # Errors
    /// [`CacheError`] if the cache cannot be reached; rights may be granted then, until the lease ends.
    async fn look(&self, keys: &[String], lease: Duration) -> Result<Vec<Look>, CacheError>;

    /// Keeps a value for `keep`, and ends the right. The value MUST be dropped if the right has ended before: by its lease, because it was given up, or
    /// because the key was forgotten.
    ///
    /// # Errors
    /// [`CacheError`] if the cache cannot be reached; the value may be kept then.
    async fn fill(&self, key: &str, right: FillRight, value: Vec<u8>, keep: Duration) -> Result<(), CacheError>;

    /// Ends a right without filling: the next reader gets it. One that has ended already MUST make no difference to whoever has it now.
    ///
    /// # Errors
    /// [`CacheError`] if the cache cannot be reached.
    async fn give_up(&self, key: &str, right: FillRight) -> Result<(), CacheError>;

    /// Forgets what is kept under these keys, and ends the rights to fill them.
    ///
    /// # Errors
    /// [`CacheError`] if the cache cannot be reached; what is kept there may be shown until its time is over.
    async fn forget(&self, keys: &[String]) -> Result<(), CacheError>;
}

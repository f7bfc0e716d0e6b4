use crate::store::StoreError;
use async_trait::async_trait;

/// What a holder of a lock shows when it writes: the name of the lock, and a number that is larger for every later holder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The name of the lock.
    pub lock: String,
    /// Larger than that of every grant of the lock before.
    pub number: u64,
}

/// Which holder of each lock was the last to write.
///
/// A lock whose lease has ended is granted to somebody else, while the one who had it may have stalled and know nothing of it. What protects
/// the data is this: as soon as the later one has written, nothing that the earlier one writes is committed any more.
#[async_trait]
pub trait FenceRepository: Send {
    /// Says that whoever writes in this unit of work does so as the holder of these locks. Each lock MUST be named once.
    ///
    /// Two units of work that claim the same lock MUST end one after the other, and a claim that is rolled back MUST count for nothing. The
    /// same fence may be claimed any number of times.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Fenced`] if a unit of work that claimed a later fence of one of the locks was committed.
    async fn claim(&mut self, fences: &[Fence]) -> Result<(), StoreError>;
}

use crate::lock::LockName;
use crate::store::Handler;

/// A use case that is right also in a unit of work that locks nothing it reads.
///
/// Whatever a verdict follows from MUST be checked by the store when it is written: by the version that was read, by a condition of the
/// statement, or by a unique key. If something came between, the write MUST fail with an error that is
/// [contention](crate::store::StoreError::is_contention). A verdict that writes nothing is a refusal by what was committed at some moment since
/// the command came.
pub trait Rechecked: Handler {}

/// A use case that decides by the statement that writes: it reads nothing before on which the verdict depends and that the statement does not
/// check.
pub trait Conditional: Handler {}

/// A use case that can say what a command contends for before anything is read.
pub trait Contended: Handler {
    /// The names of what the command may change. Two commands that may change the same row MUST have a name in common.
    fn contends_for(&self, command: &Self::Command) -> Vec<LockName>;
}

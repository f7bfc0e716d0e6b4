use std::error::Error;

/// Why the store could not do its work. Adapters map the codes of their driver to it in one function.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another unit of work came between: a deadlock, a lock time-out, a changed version. Trying again helps.
    #[error("another transaction came between")]
    Conflict,
    /// A unique key exists already. Trying again helps if it was written since it was looked for.
    #[error("a row with the same {constraint} exists")]
    Duplicate {
        /// The constraint, as the adapter knows it.
        constraint: String,
    },
    /// Whoever wrote this held a lock once, and a later holder has written since. Nothing was changed, and trying again does not help.
    #[error("a later holder of the lock {lock} has written")]
    Fenced {
        /// The name of the lock.
        lock: String,
    },
    /// The store cannot be reached, or is busy for longer than the time-out. Nothing was changed. Trying again helps later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The connection was lost during a commit: whether the change is stored is not known.
    #[error("the outcome of a commit is unknown")]
    Ambiguous(#[source] Box<dyn Error + Send + Sync>),
    /// More work waits than the limit allows. Nothing was changed.
    #[error("too much work waits for the store")]
    Overloaded,
    /// What is stored cannot be read as a domain value.
    #[error("stored data is not valid: {0}")]
    Corrupt(String),
    /// Anything else the driver reports.
    #[error("the store failed")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same unit of work may succeed when it is run again at once.
    pub const fn is_contention(&self) -> bool {
        matches!(self, Self::Conflict | Self::Duplicate { .. })
    }

    /// Whether the fault lies with the store and not with the work: it will pass, and splitting the work does not help.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Ambiguous(_) | Self::Overloaded)
    }
}

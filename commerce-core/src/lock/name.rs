use std::fmt::{self, Display};

/// The name of a lock: its kind, of which a program has a handful, and which one of that kind it is, such as `gate-7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockName {
    text: String,
    kind: &'static str,
}

impl LockName {
    /// The only lock of its kind.
    pub fn only(kind: &'static str) -> Self {
        Self { text: kind.to_owned(), kind }
    }

    /// One lock of many of its kind.
    pub fn of(kind: &'static str, which: impl Display) -> Self {
        Self { text: format!("{kind}-{which}"), kind }
    }

    /// The name as the lock service knows it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind, by which metrics are told apart: there would be too many names.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }
}

impl Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

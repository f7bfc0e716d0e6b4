use commerce_core::store::StoreError;
use std::cmp::Ordering;

/// How the schema of a store compares with the one this program works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// It is the same.
    Current,
    /// The store is new, or was made by an older program: bringing it up to date helps.
    Older {
        /// The version of the store; 0 if it is new.
        found: i64,
        /// The version of the program.
        wanted: i64,
    },
    /// The store was made by a newer program: this one must not touch it.
    Newer {
        /// The version of the store.
        found: i64,
        /// The version of the program.
        wanted: i64,
    },
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store is new, or its schema is older than the program, and nobody asked to bring it up to date.
    #[error("the schema has version {found}, this program needs {wanted}: migrate the store first")]
    SchemaOlder {
        /// The version of the store; 0 if it is new.
        found: i64,
        /// The version of the program.
        wanted: i64,
    },
    /// The schema is newer than the program.
    #[error("the schema has version {found}, this program knows {wanted}: use a newer program")]
    SchemaNewer {
        /// The version of the store.
        found: i64,
        /// The version of the program.
        wanted: i64,
    },
    /// A step of the schema is not the one this program knows, or failed.
    #[error("the schema cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SchemaState {
    /// Compares two versions.
    pub(crate) fn of(found: i64, wanted: i64) -> Self {
        match found.cmp(&wanted) {
            Ordering::Equal => Self::Current,
            Ordering::Less => Self::Older { found, wanted },
            Ordering::Greater => Self::Newer { found, wanted },
        }
    }

    /// Refuses a schema that is newer than the program's.
    pub(crate) fn refuse_newer(self) -> Result<(), OpenError> {
        match self {
            Self::Newer { found, wanted } => Err(OpenError::SchemaNewer { found, wanted }),
            Self::Current | Self::Older { .. } => Ok(()),
        }
    }

    /// Refuses a schema that is not the program's.
    pub(crate) fn require_current(self) -> Result<(), OpenError> {
        match self {
            Self::Current => Ok(()),
            Self::Older { found, wanted } => Err(OpenError::SchemaOlder { found, wanted }),
            Self::Newer { found, wanted } => Err(OpenError::SchemaNewer { found, wanted }),
        }
    }
}

/// The steps of a dialect's schema, each with its number, its name and its text. Numbers and names are the same in all dialects; a dialect that
/// does not need a step has a gap.
macro_rules! migrations {
    ($dialect:literal, $($version:literal: $name:literal),+ $(,)?) => {
        /// Numbered, and only ever added to.
        const MIGRATIONS: &[(i64, &str, &str)] =
            &[$(($version, $name, include_str!(concat!("../../migrations/", $dialect, "/", $name, ".sql")))),+];
    };
}
pub(crate) use migrations;

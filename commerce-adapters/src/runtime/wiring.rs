use super::{Failure, SharedArgs};
use crate::embedded::{EmbeddedParts, OpenError};
use crate::sqlite::SqliteOptions;
use commerce_core::Parts;

/// The parts of a shop that needs nothing but a SQLite file.
pub struct EmbeddedShop {
    parts: EmbeddedParts,
}

impl EmbeddedShop {
    /// Opens the file for a process that handles the shop's events: only one at a time.
    ///
    /// # Errors
    /// [`Failure::Missing`] if another process has it, or it cannot be opened.
    pub async fn open_alone(shared: &SharedArgs) -> Result<Self, Failure> {
        let parts = EmbeddedParts::open_alone(options(shared)?).await;
        parts.map(|parts| Self { parts }).map_err(|error| failed(shared, &error))
    }

    /// Opens the file beside whoever has it, for reads and single commands.
    ///
    /// # Errors
    /// [`Failure::Missing`] if it cannot be opened.
    pub async fn open_beside(shared: &SharedArgs) -> Result<Self, Failure> {
        let parts = EmbeddedParts::open_beside(options(shared)?).await;
        parts.map(|parts| Self { parts }).map_err(|error| failed(shared, &error))
    }

    /// The adapters.
    pub fn parts(&self) -> &Parts {
        self.parts.parts()
    }

    /// The version of the schema.
    ///
    /// # Errors
    /// [`Failure::Missing`] if the file cannot be read.
    pub async fn schema_version(&self) -> Result<i64, Failure> {
        self.parts.schema_version().await.map_err(|error| Failure::missing("cannot read the schema", &error))
    }

    /// Closes the file.
    ///
    /// # Errors
    /// [`Failure::Missing`] if what was acknowledged could not be written.
    pub async fn close(self) -> Result<(), Failure> {
        self.parts.close().await.map_err(|error| Failure::missing("cannot close the database", &error))
    }
}

fn options(shared: &SharedArgs) -> Result<SqliteOptions, Failure> {
    Ok(SqliteOptions { path: shared.sqlite_path()?.clone(), durability: shared.durability.into() })
}

fn failed(shared: &SharedArgs, error: &OpenError) -> Failure {
    let path = shared.sqlite_path().map(|path| path.display().to_string()).unwrap_or_default();
    Failure::missing(format!("cannot open the shop in {path}"), error)
}

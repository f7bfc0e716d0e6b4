use super::{Failure, SharedArgs};
use crate::embedded::{EmbeddedParts, OpenError};
use crate::sqlite::{Migrate, SqliteOptions};

/// Opens the shop for a process that handles its events: only one at a time.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] if another process has the file or it cannot be opened.
pub async fn open_alone(shared: &SharedArgs) -> Result<EmbeddedParts, Failure> {
    opened(shared, EmbeddedParts::open_alone(options(shared, Migrate::Yes)?).await)
}

/// Opens the shop beside whoever has it, for reads and single commands. Its file must exist.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] if the file does not exist or cannot be opened.
pub async fn open_beside(shared: &SharedArgs) -> Result<EmbeddedParts, Failure> {
    let options = options(shared, Migrate::No)?;
    if !options.path.exists() {
        return Err(Failure::Missing(format!(
            "there is no shop in {}: run commerce-admin migrate first, or name another --store",
            options.path.display()
        )));
    }
    opened(shared, EmbeddedParts::open_beside(options).await)
}

/// How the options name the file.
pub(super) fn options(shared: &SharedArgs, migrate: Migrate) -> Result<SqliteOptions, Failure> {
    let path = shared.sqlite_path()?;
    Ok(SqliteOptions { durability: shared.durability.into(), migrate, ..SqliteOptions::new(path) })
}

/// Brings the schema up to date.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] if the file cannot be opened or is newer than this program.
pub async fn migrate(shared: &SharedArgs) -> Result<(), Failure> {
    let migrated = crate::sqlite::SqliteStore::migrate(&options(shared, Migrate::Yes)?).await;
    opened(shared, migrated.map_err(OpenError::Store))
}

fn opened<T>(shared: &SharedArgs, outcome: Result<T, OpenError>) -> Result<T, Failure> {
    outcome.map_err(|error| {
        let path = shared.sqlite_path().map(|path| path.display().to_string()).unwrap_or_default();
        Failure::missing(format!("cannot open the shop in {path}"), &error)
    })
}

/// Closes the shop.
///
/// # Errors
/// [`Failure::Missing`] if what was acknowledged could not be written.
pub async fn close(parts: EmbeddedParts) -> Result<(), Failure> {
    parts.close().await.map_err(|error| Failure::missing("cannot close the database", &error))
}

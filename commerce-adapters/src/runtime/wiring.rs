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
    opened(shared, EmbeddedParts::open_beside(existing(shared)?).await)
}

/// Who else has a shop that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Nobody: this process is to handle the events.
    Alone,
    /// Perhaps somebody: the events are left to whoever handles them.
    Beside,
}

/// Opens the shop alone if nobody has it, and beside whoever has it otherwise. Its file must exist.
///
/// # Errors
/// [`Failure::Usage`] for options that cannot be, [`Failure::Missing`] if the file does not exist or cannot be opened.
pub async fn open_alone_or_beside(shared: &SharedArgs) -> Result<(EmbeddedParts, Company), Failure> {
    match EmbeddedParts::open_alone(existing(shared)?).await {
        Err(OpenError::InUse(_)) => Ok((open_beside(shared).await?, Company::Beside)),
        alone => Ok((opened(shared, alone)?, Company::Alone)),
    }
}

/// Refuses to count by the days of another time zone than the shop's boards do: they would be counted anew.
///
/// # Errors
/// [`Failure::Usage`] for another time zone, [`Failure::Missing`] if the boards cannot be read.
pub async fn check_calendar(shared: &SharedArgs, parts: &EmbeddedParts) -> Result<(), Failure> {
    let counted = parts.parts().board.calendar().await;
    let counted = counted.map_err(|error| Failure::missing("cannot read the boards of the ranking", &error))?;
    match counted {
        Some(counted) if counted != shared.time_zone => {
            let (counted, given) = (counted.name(), shared.time_zone.name());
            Err(Failure::Usage(format!(
                "the ranking of this shop counts the days of {counted} and not of {given}: add --time-zone {counted}"
            )))
        }
        _ => Ok(()),
    }
}

/// How the options name a file that exists.
fn existing(shared: &SharedArgs) -> Result<SqliteOptions, Failure> {
    let options = options(shared, Migrate::No)?;
    if !options.path.exists() {
        return Err(Failure::Missing(format!(
            "there is no shop in {}: run commerce-admin migrate first, or name another --store",
            options.path.display()
        )));
    }
    Ok(options)
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

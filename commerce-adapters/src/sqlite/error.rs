use commerce_core::store::StoreError;
use sqlx::Error;
use sqlx::error::DatabaseError;

const ERROR_BUSY: i32 = 5;
const ERROR_LOCKED: i32 = 6;
const ERROR_READONLY: i32 = 8;
const ERROR_IO: i32 = 10;
const ERROR_CORRUPT: i32 = 11;
const ERROR_FULL: i32 = 13;
const ERROR_CANNOT_OPEN: i32 = 14;
const ERROR_NO_DATABASE: i32 = 26;

/// What an error of a statement means. The transaction it belongs to is rolled back, so nothing was changed.
pub(super) fn store_error(error: Error) -> StoreError {
    match error {
        Error::Database(error) if error.is_unique_violation() => StoreError::Duplicate { constraint: constraint(error.message()) },
        Error::Database(ref database) => match primary_code(database.as_ref()) {
            Some(ERROR_BUSY | ERROR_LOCKED | ERROR_READONLY | ERROR_IO | ERROR_FULL | ERROR_CANNOT_OPEN) => {
                StoreError::Unavailable(error.into())
            }
            Some(ERROR_CORRUPT | ERROR_NO_DATABASE) => StoreError::Corrupt(error.to_string()),
            _ => StoreError::Backend(error.into()),
        },
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => StoreError::Unavailable(error.into()),
        Error::Decode(_) | Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::ColumnIndexOutOfBounds { .. } => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Backend(error.into()),
    }
}

/// What an error of a COMMIT means. Unless SQLite says that it did not even try, part of the change may have reached the disk, and
/// whether it is found there after a crash is not known.
pub(super) fn commit_error(error: Error) -> StoreError {
    let code = error.as_database_error().and_then(primary_code);
    if matches!(code, Some(ERROR_BUSY | ERROR_LOCKED)) { store_error(error) } else { StoreError::Ambiguous(error.into()) }
}

/// The code without its details, which are in the bits above the lowest eight.
fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}

/// The columns out of `UNIQUE constraint failed: users.email_key`.
fn constraint(message: &str) -> String {
    message.rsplit_once(": ").map_or(message, |(_, columns)| columns).to_owned()
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;
    use std::fmt;

    /// An error as the driver reports it.
    #[derive(Debug)]
    struct Reported(&'static str, &'static str);

    impl fmt::Display for Reported {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl std::error::Error for Reported {}

    impl DatabaseError for Reported {
        fn message(&self) -> &str {
            self.1
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            if self.0 == "2067" { sqlx::error::ErrorKind::UniqueViolation } else { sqlx::error::ErrorKind::Other }
        }
    }

    fn reported(code: &'static str, message: &'static str) -> Error {
        Error::Database(Box::new(Reported(code, message)))
    }

    #[test]
    fn a_unique_key_is_named() {
        let error = store_error(reported("2067", "UNIQUE constraint failed: users.email_key"));
        assert!(matches!(error, StoreError::Duplicate { constraint } if constraint == "users.email_key"));
    }

    #[test]
    fn a_busy_file_and_a_failing_disk_will_pass() {
        for code in ["5", "261", "6", "8", "10", "778", "13", "14"] {
            assert!(matches!(store_error(reported(code, "")), StoreError::Unavailable(_)), "{code}");
        }
        assert!(matches!(store_error(Error::PoolTimedOut), StoreError::Unavailable(_)));
    }

    #[test]
    fn what_cannot_be_read_is_corrupt() {
        assert!(matches!(store_error(reported("11", "")), StoreError::Corrupt(_)));
        assert!(matches!(store_error(Error::ColumnNotFound("id".into())), StoreError::Corrupt(_)));
    }

    #[test]
    fn a_broken_check_is_nobodys_contention() {
        assert!(matches!(store_error(reported("275", "CHECK constraint failed")), StoreError::Backend(_)));
    }

    #[test]
    fn a_commit_that_fails_on_the_disk_is_ambiguous_and_a_busy_one_is_not() {
        assert!(matches!(commit_error(reported("1034", "disk I/O error")), StoreError::Ambiguous(_)));
        assert!(matches!(commit_error(Error::WorkerCrashed), StoreError::Ambiguous(_)));
        assert!(matches!(commit_error(reported("5", "database is locked")), StoreError::Unavailable(_)));
    }
}

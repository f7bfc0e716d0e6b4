use commerce_core::store::StoreError;
use sqlx::Error;
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

/// What an error of a statement means. The transaction it belongs to is rolled back, so nothing was changed.
pub(super) fn store_error(error: Error) -> StoreError {
    match error {
        Error::Database(error) => match Meaning::of(number(error.as_ref())) {
            Meaning::Duplicate => StoreError::Duplicate { constraint: constraint(error.message()) },
            Meaning::Contention => StoreError::Conflict,
            Meaning::Outage => StoreError::Unavailable(error.into_error()),
            Meaning::Damage => StoreError::Corrupt(error.message().to_owned()),
            Meaning::Fault => StoreError::Backend(error.into_error()),
        },
        // What the driver cannot understand was cut off in the middle.
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreError::Unavailable(error.into())
        }
        Error::Decode(_) | Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::ColumnIndexOutOfBounds { .. } => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Backend(error.into()),
    }
}

/// What an error of a COMMIT means. Unless the server says that it rolled back, or that it had stopped waiting, the change may be stored or not.
pub(super) fn commit_error(error: Error) -> StoreError {
    let number = error.as_database_error().map_or(0, number);
    if is_rolled_back(number) { store_error(error) } else { StoreError::Ambiguous(error.into()) }
}

/// Whether a COMMIT that was answered by this error has changed nothing.
fn is_rolled_back(number: u16) -> bool {
    number == IDLE_FOR_TOO_LONG || Meaning::of(number) == Meaning::Contention
}

/// What the number of an error of MySQL or MariaDB means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Duplicate,
    /// The transaction was rolled back, or is to be, because of another one.
    Contention,
    /// The server cannot work at present.
    Outage,
    Damage,
    /// The statement is wrong, or breaks a rule.
    Fault,
}

// The numbers of MySQL and MariaDB; where the two differ, neither sends the other's in its place.

/// A unique key, also one whose name the server does not know.
const DUPLICATE: &[u16] = &[1022, 1062, 1169, 1586, 1859];
/// Changed since it was read, lock time-out, deadlock, table changed, branch rolled back, to be prepared again, rolled back by the other servers
/// of a group, locked.
const CONTENTION: &[u16] = &[1020, 1205, 1213, 1412, 1614, 1615, 3101, 3572];
/// No memory, too many connections, no thread.
const BUSY: &[u16] = &[1037, 1038, 1040, 1041, 1135, 1203, 1226];
/// No space: on the disk, in a table, for locks, for transactions, for prepared statements.
const FULL: &[u16] = &[1021, 1114, 1206, 1461, 1637];
/// Shutting down, killed, cut off, idle for too long.
const ENDING: &[u16] = &[1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 1969, 3024, IDLE_FOR_TOO_LONG];
const IDLE_FOR_TOO_LONG: u16 = 4031;
/// Not the server to write to, or not yet: not in its cluster, blocked, read-only.
const ASIDE: &[u16] = &[1047, 1129, 1290, 1792, 1836, 3100];
/// A table, a key or a page that cannot be read.
const DAMAGE: &[u16] = &[1034, 1035, 1194, 1195, 1712, 1877];

impl Meaning {
    fn of(number: u16) -> Self {
        let meanings = [(DUPLICATE, Self::Duplicate), (CONTENTION, Self::Contention), (DAMAGE, Self::Damage)];
        let outages = [BUSY, FULL, ENDING, ASIDE].map(|numbers| (numbers, Self::Outage));
        let known = meanings.into_iter().chain(outages).find(|(numbers, _)| numbers.contains(&number));
        known.map_or(Self::Fault, |(_, meaning)| meaning)
    }
}

/// The server's number of an error; 0 if it has none.
pub(super) fn number(error: &dyn DatabaseError) -> u16 {
    error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number)
}

/// The key out of `Duplicate entry 'ann@shop.kr' for key 'users.users_email_key'`. The value is left out: it may be somebody's address.
fn constraint(message: &str) -> String {
    message.rsplit_once(" for key '").map_or("unique key", |(_, key)| key.trim_end_matches('\'')).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_key_is_named_and_the_value_is_not() {
        assert_eq!(constraint("Duplicate entry 'ann for key 'x'@shop.kr' for key 'users.users_email_key'"), "users.users_email_key");
        assert_eq!(constraint("Duplicate entry '7' for key 'PRIMARY'"), "PRIMARY");
        assert_eq!(constraint("Can't write; duplicate key in table"), "unique key");
    }

    #[test]
    fn deadlocks_and_time_outs_of_locks_are_contention() {
        assert!([1020, 1205, 1213].map(Meaning::of).iter().all(|meaning| *meaning == Meaning::Contention));
    }

    #[test]
    fn a_server_that_ends_or_is_full_is_an_outage() {
        assert!([1040, 1053, 1290, 1317, 1927].map(Meaning::of).iter().all(|meaning| *meaning == Meaning::Outage));
        assert!(matches!(store_error(Error::PoolTimedOut), StoreError::Unavailable(_)));
        assert!(matches!(store_error(Error::Protocol(String::new())), StoreError::Unavailable(_)));
    }

    #[test]
    fn a_wrong_statement_and_a_broken_check_are_nobodys_contention() {
        assert!([0, 1064, 1406, 3819, 4025].map(Meaning::of).iter().all(|meaning| *meaning == Meaning::Fault));
    }

    #[test]
    fn a_commit_that_the_server_rolled_back_or_did_not_wait_for_has_changed_nothing() {
        assert_eq!([1205, 1213, 4031, 1053, 1317, 0].map(is_rolled_back), [true, true, true, false, false, false]);
    }

    #[test]
    fn a_commit_that_is_cut_off_is_ambiguous() {
        assert!(matches!(commit_error(Error::Io(std::io::ErrorKind::ConnectionReset.into())), StoreError::Ambiguous(_)));
        assert!(matches!(commit_error(Error::Protocol(String::new())), StoreError::Ambiguous(_)));
    }
}

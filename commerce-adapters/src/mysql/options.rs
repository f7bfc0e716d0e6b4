use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use std::fmt;
use std::str::FromStr;

/// Statements of a connection that stay prepared. It is more than there are shapes of them: to let one go costs a round trip that waits for a
/// delayed acknowledgement.
const STATEMENTS_MAX: usize = 1024;
const SCHEMES: [&str; 2] = ["mysql://", "mariadb://"];
/// What may follow the question mark. Other options of the driver would take back what the store relies on.
const KNOWN: [&str; 5] = ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket"];

/// How to reach a database of a MySQL or MariaDB server. Neither its debug text nor any error shows the password.
#[derive(Clone)]
pub struct MysqlOptions {
    connect: MySqlConnectOptions,
    database: String,
    has_password: bool,
    /// How many connections a process has at most. Twelve if nobody says: on few cores more are slower.
    pub connections_max: u32,
}

/// Why an address is not one of a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOptions {
    /// It is not written as an address.
    #[error("the address is not written mysql://user:password@host:port/database")]
    Malformed,
    /// It names no database.
    #[error("the address names no database: write mysql://user:password@host:port/database")]
    NoDatabase,
    /// An option behind the question mark is not known.
    #[error("the address has an option {0}, which is not known: it may be one of {known}", known = KNOWN.join(", "))]
    UnknownOption(String),
    /// TLS is asked for, and this program was built without it.
    #[error("the address asks for TLS, and this program was built without it (feature mysql-tls)")]
    NoTls,
}

impl MysqlOptions {
    /// Reads an address, such as `mysql://user:password@host:port/database`. Behind it may stand `?ssl-mode=VERIFY_IDENTITY`, `ssl-ca`, `ssl-cert` and
    /// `ssl-key` with files, and `socket` with the path of a Unix socket, with `&` in between. What is not a letter or a digit in a user's name or a
    /// password is written as `%` and two hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidOptions`]; none of them shows the address.
    pub fn parse(address: &str) -> Result<Self, InvalidOptions> {
        if !SCHEMES.iter().any(|scheme| address.starts_with(scheme)) {
            return Err(InvalidOptions::Malformed);
        }
        let options = address.split_once('?').map_or("", |(_, options)| options);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let name = option.split('=').next().unwrap_or_default();
            if !KNOWN.contains(&name) {
                return Err(InvalidOptions::UnknownOption(name.to_owned()));
            }
        }
        // The driver's own error can say what it did not understand, and that may be the password.
        let connect = MySqlConnectOptions::from_str(address).map_err(|_| InvalidOptions::Malformed)?;
        let plain = matches!(connect.get_ssl_mode(), MySqlSslMode::Disabled | MySqlSslMode::Preferred);
        if !plain && !cfg!(feature = "mysql-tls") {
            return Err(InvalidOptions::NoTls);
        }
        let database = connect.get_database().filter(|name| !name.is_empty()).ok_or(InvalidOptions::NoDatabase)?.to_owned();
        let authority = address.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        let has_password = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
        Ok(Self { connect, database, has_password, connections_max: 12 })
    }

    /// The same with this password, which so need not stand in the address.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        Self { connect: self.connect.password(password), has_password: true, ..self }
    }

    /// Whether a password is known.
    pub fn has_password(&self) -> bool {
        self.has_password
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// What the driver is told. The settings of a session are told to the server once it is connected.
    pub(super) fn driver(&self) -> MySqlConnectOptions {
        let bare = self.connect.clone().pipes_as_concat(false).no_engine_substitution(false);
        bare.charset("utf8mb4").collation("utf8mb4_bin").statement_cache_capacity(STATEMENTS_MAX)
    }
}

impl FromStr for MysqlOptions {
    type Err = InvalidOptions;

    fn from_str(address: &str) -> Result<Self, InvalidOptions> {
        Self::parse(address)
    }
}

impl fmt::Debug for MysqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connect, database, has_password: _, connections_max } = self;
        f.debug_struct("MysqlOptions")
            .field("user", &connect.get_username())
            .field("host", &connect.get_host())
            .field("port", &connect.get_port())
            .field("socket", &connect.get_socket())
            .field("database", database)
            .field("connections_max", connections_max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_its_password_never_shown() {
        let options = MysqlOptions::parse("mysql://shop:s%40cret@db.example:3307/commerce").unwrap();
        assert_eq!((options.connect.get_host(), options.connect.get_port(), options.database()), ("db.example", 3307, "commerce"));
        assert!(options.has_password());
        let shown = format!("{options:?}");
        assert!(shown.contains("db.example") && !shown.contains("cret"), "{shown}");
    }

    #[test]
    fn a_password_can_be_set_apart() {
        let options = MysqlOptions::parse("mysql://shop@localhost/commerce").unwrap();
        assert!(!options.has_password());
        let options = options.with_password("secret");
        assert!(options.has_password());
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_without_being_shown() {
        let refused = |address: &str| MysqlOptions::parse(address).unwrap_err();
        assert_eq!(refused("postgres://secret@localhost/commerce"), InvalidOptions::Malformed);
        assert_eq!(refused("mysql://shop:secret@localhost:port/commerce"), InvalidOptions::Malformed);
        assert_eq!(refused("mysql://shop:secret@localhost"), InvalidOptions::NoDatabase);
        assert_eq!(refused("mysql://shop:secret@localhost/"), InvalidOptions::NoDatabase);
        let unknown = refused("mysql://shop:secret@localhost/commerce?sslmode=REQUIRED");
        assert_eq!(unknown, InvalidOptions::UnknownOption("sslmode".to_owned()));
        assert!(!unknown.to_string().contains("secret"));
    }

    #[test]
    fn tls_is_not_left_out_silently() {
        let asked = MysqlOptions::parse("mysql://shop@localhost/commerce?ssl-mode=REQUIRED");
        assert_eq!(asked.is_ok(), cfg!(feature = "mysql-tls"));
    }
}

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const SENTINEL_PORT: u16 = 26379;
const PREFIX: &str = "commerce:";
const PREFIX_CHARS_MAX: usize = 64;

/// Where Redis is, and how long it may take. Shown without user names and passwords.
///
/// ```
/// # use commerce_adapters::redis::RedisOptions;
/// let shared: RedisOptions = "redis://:secret@cache.example:6380/2".parse()?;
/// assert_eq!(shared.to_string(), "redis://cache.example:6380/2");
/// # Ok::<(), commerce_adapters::redis::OptionsError>(())
/// ```
#[derive(Clone)]
pub struct RedisOptions {
    pub(super) servers: Servers,
    pub(super) prefix: String,
    /// How long it may take to connect to a server. One second if nobody says.
    pub connect_timeout: Duration,
    /// How long a server may take to answer. One second if nobody says.
    pub response_timeout: Duration,
}

/// Which servers there are and what they are to each other.
#[derive(Clone)]
pub(super) enum Servers {
    One(ConnectionInfo),
    Cluster(Vec<ConnectionInfo>),
    Sentinel(Sentinels),
}

/// The sentinels of a service, and how to log in to the server they name.
#[derive(Clone)]
pub(super) struct Sentinels {
    pub(super) hosts: Vec<ConnectionAddr>,
    pub(super) service: String,
    pub(super) login: RedisConnectionInfo,
    pub(super) tls: bool,
}

/// Why options cannot be. It never shows what was given: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// It is no address of a server.
    #[error("an address of Redis is written redis://[[user]:password@]host[:port][/database], without spaces or parameters")]
    Server,
    /// It is no address of sentinels.
    #[error("Redis behind Sentinel is written redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/service[/database]")]
    Sentinel,
    /// A Redis Cluster has one database.
    #[error("a Redis Cluster has no databases: leave the number at the end of its addresses out")]
    ClusterDatabase,
    /// The servers of a cluster are not alike.
    #[error(
        "the addresses of a Redis Cluster are all written with the same user and password, and all with redis:// or all with rediss://"
    )]
    ClusterLogin,
    /// This build has no TLS.
    #[error("rediss:// needs a build with the feature redis-tls; without it, write redis://")]
    NoTls,
    /// Keys could not be told apart.
    #[error("a prefix of keys has at most 64 ASCII characters and none of {{ }} and spaces")]
    Prefix,
}

impl RedisOptions {
    fn to(servers: Servers) -> Self {
        let second = Duration::from_secs(1);
        Self { servers, prefix: PREFIX.to_owned(), connect_timeout: second, response_timeout: second }
    }

    /// The same servers with other keys: every key begins with `prefix`, so that shops, and tests, can share servers. `commerce:` if nobody says.
    ///
    /// # Errors
    /// [`OptionsError::Prefix`] for one that would break the hash tags of keys.
    pub fn with_prefix(self, prefix: impl Into<String>) -> Result<Self, OptionsError> {
        let prefix = prefix.into();
        let plain = prefix.chars().all(|char| char.is_ascii_graphic() && !matches!(char, '{' | '}'));
        if plain && prefix.len() <= PREFIX_CHARS_MAX { Ok(Self { prefix, ..self }) } else { Err(OptionsError::Prefix) }
    }

    /// The same servers with this password, for one that is kept in a file.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        let with = |login: &RedisConnectionInfo| login.clone().set_password(password);
        match &mut self.servers {
            Servers::One(server) => *server = server.clone().set_redis_settings(with(server.redis_settings())),
            Servers::Cluster(servers) => {
                for server in servers {
                    *server = server.clone().set_redis_settings(with(server.redis_settings()));
                }
            }
            Servers::Sentinel(sentinels) => sentinels.login = with(&sentinels.login),
        }
        self
    }

    /// Whether they hold a password, which others can read on a command line.
    pub fn has_password(&self) -> bool {
        let login = match &self.servers {
            Servers::One(server) => Some(server.redis_settings()),
            Servers::Cluster(servers) => servers.first().map(ConnectionInfo::redis_settings),
            Servers::Sentinel(sentinels) => Some(&sentinels.login),
        };
        login.is_some_and(|login| login.password().is_some())
    }
}

impl FromStr for RedisOptions {
    type Err = OptionsError;

    /// Reads `redis://…` (one server), several of these with commas between (a Cluster), or `redis+sentinel://…`; with `rediss` for TLS.
    fn from_str(text: &str) -> Result<Self, OptionsError> {
        for (scheme, tls) in [("redis+sentinel://", false), ("rediss+sentinel://", true)] {
            if let Some(rest) = text.strip_prefix(scheme) {
                return Ok(Self::to(Servers::Sentinel(sentinels(rest, tls)?)));
            }
        }
        let servers: Vec<_> = text.split(',').map(server).collect::<Result<_, _>>()?;
        match <[_; 1]>::try_from(servers) {
            Ok([server]) => Ok(Self::to(Servers::One(server))),
            Err(servers) => Ok(Self::to(Servers::Cluster(cluster(servers)?))),
        }
    }
}

/// Shows where the servers are, and no secret.
impl fmt::Display for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = |addr: &ConnectionAddr| if matches!(addr, ConnectionAddr::TcpTls { .. }) { "rediss" } else { "redis" };
        match &self.servers {
            Servers::One(server) => {
                write!(f, "{}://{}/{}", scheme(server.addr()), Place(server.addr()), server.redis_settings().db())
            }
            Servers::Cluster(servers) => {
                for (index, server) in servers.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}://{}", scheme(server.addr()), Place(server.addr()))?;
                }
                Ok(())
            }
            Servers::Sentinel(Sentinels { hosts, service, login, tls }) => {
                let hosts: Vec<_> = hosts.iter().map(|addr| Place(addr).to_string()).collect();
                write!(f, "{}+sentinel://{}/{service}/{}", if *tls { "rediss" } else { "redis" }, hosts.join(","), login.db())
            }
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, connect_timeout, response_timeout, .. } = self;
        f.debug_struct("RedisOptions")
            .field("servers", &self.to_string())
            .field("prefix", prefix)
            .field("connect_timeout", connect_timeout)
            .field("response_timeout", response_timeout)
            .finish()
    }
}

/// Shows an address as it is written in a URL: an IPv6 address in brackets.
struct Place<'a>(&'a ConnectionAddr);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } if host.contains(':') => {
                write!(f, "[{host}]:{port}")
            }
            addr => addr.fmt(f),
        }
    }
}

fn server(url: &str) -> Result<ConnectionInfo, OptionsError> {
    if url.starts_with("rediss://") && !cfg!(feature = "redis-tls") {
        return Err(OptionsError::NoTls);
    }
    let plain = (url.starts_with("redis://") || url.starts_with("rediss://")) && !url.contains(['?', '#', ' ']);
    // What the driver says about an address it cannot read is left out: it might repeat it.
    let server = if plain { url.into_connection_info().ok() } else { None };
    server.filter(|server| server.redis_settings().db() >= 0).ok_or(OptionsError::Server)
}

fn cluster(servers: Vec<ConnectionInfo>) -> Result<Vec<ConnectionInfo>, OptionsError> {
    if servers.iter().any(|server| server.redis_settings().db() != 0) {
        return Err(OptionsError::ClusterDatabase);
    }
    let alike = |one: &ConnectionInfo, other: &ConnectionInfo| {
        let login = |server: &ConnectionInfo| {
            let login = server.redis_settings();
            (login.username().map(str::to_owned), login.password().map(str::to_owned))
        };
        login(one) == login(other) && std::mem::discriminant(one.addr()) == std::mem::discriminant(other.addr())
    };
    if servers.windows(2).all(|pair| alike(&pair[0], &pair[1])) { Ok(servers) } else { Err(OptionsError::ClusterLogin) }
}

/// Reads what follows the scheme: the login, the hosts, and the path.
fn sentinels(rest: &str, tls: bool) -> Result<Sentinels, OptionsError> {
    if tls && !cfg!(feature = "redis-tls") {
        return Err(OptionsError::NoTls);
    }
    let (authority, path) = rest.split_once('/').ok_or(OptionsError::Sentinel)?;
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    let (service, database) = path.split_once('/').unwrap_or((path, "0"));
    let named = !service.is_empty() && service.chars().all(|char| char.is_ascii_graphic() && !matches!(char, '/' | '?' | '#'));
    let scheme = if tls { "rediss" } else { "redis" };
    let read = |url: String| server(&url).map_err(|_| OptionsError::Sentinel);
    let login = read(format!("{scheme}://{login}localhost/{database}"))?.redis_settings().clone();
    let sentinel = |host: &str| {
        let no_port = host.ends_with(']') || !host.contains(':');
        let port = if no_port { format!(":{SENTINEL_PORT}") } else { String::new() };
        read(format!("{scheme}://{host}{port}")).map(|sentinel| sentinel.addr().clone())
    };
    let hosts = hosts.split(',').map(sentinel).collect::<Result<_, _>>()?;
    if named { Ok(Sentinels { hosts, service: service.to_owned(), login, tls }) } else { Err(OptionsError::Sentinel) }
}

#[cfg(test)]
mod tests;

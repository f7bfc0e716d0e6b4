use rdkafka::ClientConfig;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest name a topic may have, less the longest that is put behind the prefix.
const PREFIX_BYTES_MAX: usize = 200;

/// What the bus sets itself: with other values it could lose events, repeat them for ever, or mix up their order.
const RESERVED: [&str; 24] = [
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "retries",
    "transactional.id",
];

/// Which Kafka brokers carry the events, and how to talk to them.
///
/// ```
/// use commerce_adapters::kafka::KafkaOptions;
///
/// let options: KafkaOptions = "kafka-1:9092,kafka-2:9092".parse()?;
/// let options = options.with_properties("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=shop\nsasl.password=secret")?;
/// assert!(!format!("{options:?}").contains("secret"));
/// # Ok::<(), commerce_adapters::kafka::OptionsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaOptions {
    brokers: String,
    prefix: String,
    properties: BTreeMap<String, String>,
}

/// Why options cannot be what they are said to be.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// What should name brokers does not.
    #[error("{0:?} names no Kafka broker: write HOST:PORT[,HOST:PORT…]")]
    Broker(String),
    /// A prefix that cannot begin the name of a topic.
    #[error("{0:?} cannot begin the name of a topic: use at most {PREFIX_BYTES_MAX} letters, digits, dots, underscores and hyphens")]
    Prefix(String),
    /// A line that is no property. The line is not shown: it may hold a secret.
    #[error("line {0} of the Kafka properties is none: write name=value")]
    Property(usize),
    /// A property the bus sets itself.
    #[error("the Kafka property {0} cannot be set: the bus sets it itself")]
    Reserved(String),
    /// A file that cannot be read.
    #[error("cannot read the Kafka properties in {}", .0.display())]
    File(PathBuf, #[source] std::io::Error),
}

impl FromStr for KafkaOptions {
    type Err = OptionsError;

    /// Reads `HOST:PORT[,HOST:PORT…]`: any few brokers of the cluster, the others are learned from them.
    fn from_str(brokers: &str) -> Result<Self, OptionsError> {
        let wrong = |broker: &&str| !is_broker(broker.trim());
        if let Some(broker) = brokers.split(',').find(wrong) {
            return Err(OptionsError::Broker(broker.to_owned()));
        }
        let brokers = brokers.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        Ok(Self { brokers, prefix: String::new(), properties: BTreeMap::new() })
    }
}

fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_name = |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let is_address = |host: &str| host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some_and(is_ipv6);
    (is_name(host) || is_address(host)) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

impl KafkaOptions {
    /// Begins the name of every topic and group with `prefix`, so that several shops can share brokers.
    ///
    /// # Errors
    /// [`OptionsError::Prefix`] if no topic can be named so.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self, OptionsError> {
        let fits = prefix.len() <= PREFIX_BYTES_MAX && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !fits {
            return Err(OptionsError::Prefix(prefix.to_owned()));
        }
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    /// Adds properties of the client library (librdkafka), one `name=value` a line; empty lines and those that begin with `#` are passed over.
    /// They are how TLS and SASL are set up, and how secrets come in: their values are never shown.
    ///
    /// # Errors
    /// [`OptionsError::Property`] for a line that is none, [`OptionsError::Reserved`] for a property the bus sets itself.
    pub fn with_properties(mut self, text: &str) -> Result<Self, OptionsError> {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once('=').ok_or(OptionsError::Property(index + 1))?;
            let name = name.trim();
            if RESERVED.contains(&name) {
                return Err(OptionsError::Reserved(name.to_owned()));
            }
            self.properties.insert(name.to_owned(), value.trim().to_owned());
        }
        Ok(self)
    }

    /// Adds the properties in a file, as [`with_properties`](Self::with_properties) reads them.
    ///
    /// # Errors
    /// [`OptionsError`] if it cannot be read.
    pub fn with_properties_file(self, path: &Path) -> Result<Self, OptionsError> {
        let text = std::fs::read_to_string(path).map_err(|error| OptionsError::File(path.to_owned(), error))?;
        self.with_properties(&text)
    }

    /// The brokers, as `HOST:PORT[,HOST:PORT…]`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// What every topic and group is called on the broker.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What a client of any kind is configured with: first these `defaults`, which properties may replace, then what must be so.
    pub(super) fn client(&self, defaults: &[(&str, &str)], musts: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        let properties = self.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in COMMON.into_iter().chain(defaults.iter().copied()).chain(properties).chain(musts.iter().copied()) {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

/// What every client begins with.
const COMMON: [(&str, &str); 4] = [
    ("client.id", "commerce"),
    // Small writes must not wait for others.
    ("socket.nagle.disable", "true"),
    // A broker that comes back is found within a second.
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// Shows which properties are set, and not to what.
impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { brokers, prefix, properties } = self;
        let names: Vec<_> = properties.keys().collect();
        f.debug_struct("KafkaOptions").field("brokers", brokers).field("prefix", prefix).field("properties", &names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_hosts_with_ports() {
        for right in ["localhost:9092", "127.0.0.1:9092", "kafka-1.shop.example:9092, kafka-2:19092", "[::1]:9092"] {
            assert!(right.parse::<KafkaOptions>().is_ok(), "{right:?}");
        }
        for wrong in ["", "localhost", ":9092", "localhost:", "localhost:0", "localhost:x", "a:1,,b:2", "kafka://a:1", "u:p@a:1", "[::g]:1"]
        {
            assert!(matches!(wrong.parse::<KafkaOptions>(), Err(OptionsError::Broker(_))), "{wrong:?}");
        }
    }

    #[test]
    fn properties_are_lines_and_their_values_are_not_shown() {
        let options: KafkaOptions = "a:1".parse().unwrap();
        let options = options.with_properties("# TLS\n\nssl.ca.location = /etc/ca.pem\r\nsasl.password=a=b\n").unwrap();
        let config = options.client(&[("client.id", "another")], &[("acks", "all")]);
        let set = |name| config.get(name);
        assert_eq!((set("ssl.ca.location"), set("sasl.password")), (Some("/etc/ca.pem"), Some("a=b")));
        assert_eq!((set("client.id"), set("acks"), set("bootstrap.servers")), (Some("another"), Some("all"), Some("a:1")));
        let shown = format!("{options:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("a=b"), "{shown}");
    }

    #[test]
    fn what_would_break_the_bus_is_refused() {
        let options = || "a:1".parse::<KafkaOptions>().unwrap();
        for name in RESERVED {
            let refused = options().with_properties(&format!("{name}=1")).unwrap_err();
            assert!(matches!(refused, OptionsError::Reserved(_)), "{name}");
        }
        let refused = options().with_properties("linger.ms=1\nsecret without a name").unwrap_err();
        assert_eq!(refused.to_string(), "line 2 of the Kafka properties is none: write name=value");
        assert!(matches!(options().with_prefix("shop 1/"), Err(OptionsError::Prefix(_))));
        assert_eq!(options().with_prefix("shop-1.").unwrap().named("order"), "shop-1.order");
    }
}

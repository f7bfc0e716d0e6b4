use commerce_adapters::redis::{Redis, RedisOptions};
use redis::{Client, Connection, cmd};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Servers that others use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A single server.
    One,
    /// The master of a Sentinel.
    Sentinel,
    /// A Cluster.
    Cluster,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::Sentinel, Self::Cluster];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::One => "one_server",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }

    /// Which variable names the servers.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::One => "COMMERCE_TEST_REDIS",
            Self::Sentinel => "COMMERCE_TEST_REDIS_SENTINEL",
            Self::Cluster => "COMMERCE_TEST_REDIS_CLUSTER",
        }
    }

    pub(crate) fn url(self) -> Option<String> {
        std::env::var(self.variable()).ok().filter(|url| !url.is_empty())
    }

    /// A connection to each server that has keys.
    fn servers(self, url: &str) -> Vec<Connection> {
        let connect = |url: &str| Client::open(url).unwrap().get_connection().unwrap();
        match self {
            Self::One => vec![connect(url)],
            Self::Cluster => url.split(',').map(connect).collect(),
            Self::Sentinel => {
                let (hosts, service) = url.trim_start_matches("redis+sentinel://").split_once('/').unwrap();
                let mut sentinel = connect(&format!("redis://{}", hosts.split(',').next().unwrap()));
                let master: (String, u16) = cmd("SENTINEL").arg("get-master-addr-by-name").arg(service).query(&mut sentinel).unwrap();
                vec![connect(&format!("redis://{}:{}", master.0, master.1))]
            }
        }
    }
}

/// A part of shared servers that is a test's own: all its keys begin alike, and are deleted afterwards.
pub(crate) struct Plot {
    pub(crate) place: Place,
    pub(crate) url: String,
    prefix: String,
    opened: AtomicUsize,
}

impl Plot {
    pub(crate) fn new(place: Place, url: String) -> Self {
        static PLOTS: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("commerce-test-{}-{}:", std::process::id(), PLOTS.fetch_add(1, Ordering::Relaxed));
        Self { place, url, prefix, opened: AtomicUsize::new(0) }
    }

    /// The servers with keys that nobody has used yet.
    pub(crate) fn options(&self) -> RedisOptions {
        let prefix = format!("{}{}:", self.prefix, self.opened.fetch_add(1, Ordering::Relaxed));
        self.url.parse::<RedisOptions>().unwrap().with_prefix(prefix).unwrap()
    }

    pub(crate) async fn redis(&self) -> Redis {
        Redis::connect(&self.options()).await.unwrap()
    }
}

impl Drop for Plot {
    fn drop(&mut self) {
        for mut server in self.place.servers(&self.url) {
            let keys: Vec<Vec<u8>> = cmd("SCAN")
                .cursor_arg(0)
                .arg("MATCH")
                .arg(format!("{}*", self.prefix))
                .arg("COUNT")
                .arg(1_000)
                .clone()
                .iter(&mut server)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            for key in keys {
                cmd("UNLINK").arg(key).exec(&mut server).unwrap();
            }
        }
    }
}

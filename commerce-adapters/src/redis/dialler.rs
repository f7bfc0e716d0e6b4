use super::RedisOptions;
use super::options::{Sentinels, Servers};
use crate::random::ThreadRandom;
use commerce_core::store::Random;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError, RedisResult, TlsMode};
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How many commands wait to be written before callers wait for their turn.
const WRITES_WAITING_MAX: usize = 1_024;
/// How often the driver sends a command to a cluster again that is in the middle of a change, and the pauses before, in milliseconds.
const CLUSTER_ATTEMPTS_MAX: u32 = 4;
const CLUSTER_PAUSE_MIN: u64 = 10;
const CLUSTER_PAUSE_MAX: u64 = 200;

/// Makes connections to the servers that the options name.
pub(super) struct Dialler {
    servers: Servers,
    connect_timeout: Duration,
    response_timeout: Duration,
}

impl Dialler {
    pub(super) fn new(options: &RedisOptions) -> Self {
        let RedisOptions { servers, connect_timeout, response_timeout, .. } = options.clone();
        Self { servers, connect_timeout, response_timeout }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.servers, Servers::Cluster(_))
    }

    /// How long an answer may take.
    pub(super) fn patience(&self) -> Duration {
        self.response_timeout
    }

    /// A connection to the server that takes writes, where there is one such server.
    pub(super) async fn line(&self) -> RedisResult<MultiplexedConnection> {
        let client = self.client().await?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(Some(self.response_timeout))
            .set_pipeline_buffer_size(WRITES_WAITING_MAX);
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Connections to all servers of a cluster.
    pub(super) async fn cluster(&self, servers: &[ConnectionInfo], patience: Duration) -> RedisResult<ClusterConnection> {
        let client: ClusterClient = ClusterClientBuilder::new(servers.iter().cloned())
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.response_timeout)
            .overall_response_timeout(Some(patience))
            .retries(CLUSTER_ATTEMPTS_MAX)
            .min_retry_wait(CLUSTER_PAUSE_MIN)
            .max_retry_wait(CLUSTER_PAUSE_MAX)
            .tcp_settings(at_once())
            .build()?;
        client.get_async_connection().await
    }

    /// A connection that hears what is published, of its own: it can do nothing else.
    pub(super) async fn listen(&self) -> RedisResult<PubSub> {
        let Servers::Cluster(servers) = &self.servers else { return self.listen_to(&self.client().await?).await };
        // The servers of a cluster pass on to each other what is published: any of them will do, and each process begins with another.
        let first = usize::try_from(ThreadRandom.up_to(u64::MAX)).unwrap_or(0) % servers.len().max(1);
        let mut outcome = Err(nobody());
        for server in servers.iter().cycle().skip(first).take(servers.len()) {
            outcome = self.listen_to(&client(server)?).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn listen_to(&self, client: &Client) -> RedisResult<PubSub> {
        within(self.connect_timeout, client.get_async_pubsub()).await
    }

    /// Where the server is that takes writes.
    async fn client(&self) -> RedisResult<Client> {
        match &self.servers {
            Servers::One(server) => client(server),
            // It asks the sentinels, and asks whoever they name whether it is the master.
            Servers::Sentinel(sentinels) => within(2 * self.connect_timeout, master(sentinels)).await,
            Servers::Cluster(servers) => client(servers.first().ok_or_else(nobody)?),
        }
    }
}

/// Small commands go out at once and do not wait for the answers to those before.
fn at_once() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn client(server: &ConnectionInfo) -> RedisResult<Client> {
    Client::open(server.clone().set_tcp_settings(at_once()))
}

async fn master(Sentinels { hosts, service, login, tls }: &Sentinels) -> RedisResult<Client> {
    let asked = hosts.iter().map(|addr| Ok(addr.clone().into_connection_info()?.set_tcp_settings(at_once())));
    let asked = asked.collect::<RedisResult<Vec<_>>>()?;
    let mut node = SentinelNodeConnectionInfo::default().set_redis_connection_info(login.clone()).set_tcp_settings(at_once());
    if *tls {
        node = node.set_tls_mode(TlsMode::Secure);
    }
    SentinelClient::build(asked, service.clone(), Some(node), SentinelServerType::Master)?.async_get_client().await
}

fn nobody() -> RedisError {
    RedisError::from((ErrorKind::ClusterConnectionNotFound, "no server of the cluster answers"))
}

pub(super) async fn within<T>(patience: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(patience, work).await.unwrap_or_else(|_late| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

//! Servers that crash or are restarted by an operator.

use super::scenario::play;
use super::servers::Server;
use super::stage::Stage;
use tokio::time::Instant;

/// How a server goes.
#[derive(Clone, Copy)]
pub(crate) enum Going {
    /// It is killed, and started again.
    Crash,
    /// An operator restarts it.
    Restart,
}

/// One restart.
pub(crate) struct Restart {
    pub(crate) name: &'static str,
    server: Server,
    going: Going,
}

pub(crate) const ALL: [Restart; 6] = [
    Restart { name: "MySQL crashes", server: Server::Mysql, going: Going::Crash },
    Restart { name: "MySQL is restarted", server: Server::Mysql, going: Going::Restart },
    Restart { name: "Redis crashes", server: Server::Redis, going: Going::Crash },
    Restart { name: "Redis is restarted", server: Server::Redis, going: Going::Restart },
    Restart { name: "Kafka crashes", server: Server::Kafka, going: Going::Crash },
    Restart { name: "Kafka is restarted", server: Server::Kafka, going: Going::Restart },
];

/// Lets the server go and come back.
pub(crate) async fn happens(stage: &mut Stage, &Restart { name, server, going }: &'static Restart) {
    play(stage, name, async |stage, _| {
        match going {
            Going::Crash => {
                stage.servers.kill(server).await;
                stage.servers.start(server).await;
            }
            Going::Restart => stage.servers.restart(server).await,
        }
        Instant::now()
    })
    .await;
}

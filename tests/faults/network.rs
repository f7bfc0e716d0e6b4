//! A network that hangs, is cut or is slow between the processes and one of their servers.

use super::customers::{Journal, Kind, eventually_within};
use super::proxy::Weather;
use super::scenario::play;
use super::servers::Server;
use super::stage::Stage;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Longer than any process waits for an answer before it does something about it.
const LASTING: Duration = Duration::from_secs(7);
const SLOW: Weather = Weather::Slow { late_by: Duration::from_millis(15), bytes_per_second: 500_000 };

/// What a shop goes on selling without: coupons and rankings may have to wait for Redis, and what follows from a sale for Kafka, but a sale for neither.
const SALES: [Kind; 3] = [Kind::Charge, Kind::Order, Kind::Pay];

/// One piece of bad weather.
pub(crate) struct Bad {
    pub(crate) name: &'static str,
    server: Server,
    weather: Weather,
}

pub(crate) const ALL: [Bad; 9] = [
    Bad { name: "MySQL hangs", server: Server::Mysql, weather: Weather::Hang },
    Bad { name: "MySQL is cut off", server: Server::Mysql, weather: Weather::Cut },
    Bad { name: "MySQL is slow to reach", server: Server::Mysql, weather: SLOW },
    Bad { name: "Redis hangs", server: Server::Redis, weather: Weather::Hang },
    Bad { name: "Redis is cut off", server: Server::Redis, weather: Weather::Cut },
    Bad { name: "Redis is slow to reach", server: Server::Redis, weather: SLOW },
    Bad { name: "Kafka hangs", server: Server::Kafka, weather: Weather::Hang },
    Bad { name: "Kafka is cut off", server: Server::Kafka, weather: Weather::Cut },
    Bad { name: "Kafka is slow to reach", server: Server::Kafka, weather: SLOW },
];

/// Makes it before a server, and clears it up again.
pub(crate) async fn is_bad(stage: &mut Stage, &Bad { name, server, weather }: &'static Bad) {
    play(stage, name, async |stage, journal| {
        let began = Instant::now();
        let network = stage.servers.network_of(server);
        network.make(weather);
        sleep(LASTING).await;
        if server != Server::Mysql || weather == SLOW {
            // Most customers soon wait for what needs the server, and few are left to show that a sale does not.
            sales_go_on(journal, began).await;
        }
        network.make(Weather::Clear);
        Instant::now()
    })
    .await;
}

/// Waits until everything that makes a sale was served since a moment.
pub(crate) async fn sales_go_on(journal: &Journal, since: Instant) {
    const WITHIN: Duration = Duration::from_secs(20);
    eventually_within(WITHIN, "sales go on", async || {
        let served: Vec<_> = journal.first_served_since(since).into_iter().map(|(kind, _)| kind).collect();
        SALES.iter().all(|kind| served.contains(kind))
    })
    .await;
}

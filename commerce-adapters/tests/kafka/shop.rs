use commerce_adapters::kafka::{KafkaBus, KafkaOptions, create_topics};
use commerce_core::messaging::Topic;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Members that are gone are missed soon, and the brokers learn of acknowledgements at once.
const IMPATIENT: &str = "session.timeout.ms=2000\nheartbeat.interval.ms=200\nmax.poll.interval.ms=4000\nauto.commit.interval.ms=100";

/// Shops on a broker that others may use too.
#[derive(Clone)]
pub(crate) struct Shops {
    brokers: String,
    prefixes: Arc<Mutex<Vec<String>>>,
}

impl Shops {
    pub(crate) fn on(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), prefixes: Arc::default() }
    }

    /// A shop without messages, whose topics have this many partitions.
    pub(crate) async fn open(&self, partitions: u16) -> Shop {
        static SHOPS: AtomicU64 = AtomicU64::new(0);
        let prefix = format!("test-{}-{}.", std::process::id(), SHOPS.fetch_add(1, Ordering::Relaxed));
        self.prefixes.lock().unwrap().push(prefix.clone());
        let options = self.brokers.parse::<KafkaOptions>().unwrap().with_prefix(&prefix).unwrap().with_properties(IMPATIENT).unwrap();
        create_topics(&options, NonZeroU16::new(partitions).unwrap(), NonZeroU16::MIN).await.unwrap();
        Shop { options }
    }

    /// Removes the topics of every shop.
    pub(crate) async fn close(&self) {
        let prefixes = std::mem::take(&mut *self.prefixes.lock().unwrap());
        let names: Vec<String> = prefixes
            .iter()
            .flat_map(|prefix| {
                Topic::ALL.into_iter().flat_map(move |topic| [topic.name(), topic.dead_letter_name()].map(|name| format!("{prefix}{name}")))
            })
            .collect();
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // A test that failed before it made them leaves none.
        let _gone = admin.delete_topics(&names, &AdminOptions::new()).await;
    }
}

/// One shop on a broker.
pub(crate) struct Shop {
    options: KafkaOptions,
}

impl Shop {
    pub(crate) async fn bus(&self) -> KafkaBus {
        KafkaBus::connect(&self.options).await.unwrap()
    }
}

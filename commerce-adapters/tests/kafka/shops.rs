use commerce_adapters::kafka::{KafkaBus, KafkaOptions, create_topics};
use commerce_core::messaging::Topic;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Members that are gone are missed soon, and the brokers learn of acknowledgements at once.
const IMPATIENT: &str = "session.timeout.ms=2000\nheartbeat.interval.ms=200\nmax.poll.interval.ms=3000\nauto.commit.interval.ms=100";

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

    /// Another shop's name, under which nothing is made.
    pub(crate) fn named(&self) -> Shop {
        static SHOPS: AtomicU64 = AtomicU64::new(0);
        let prefix = format!("test-{}-{}.", std::process::id(), SHOPS.fetch_add(1, Ordering::Relaxed));
        self.prefixes.lock().unwrap().push(prefix.clone());
        Shop { brokers: self.brokers.clone(), prefix }
    }

    /// A shop without messages, whose topics have this many partitions.
    pub(crate) async fn open(&self, partitions: u16) -> Shop {
        let shop = self.named();
        create_topics(&shop.options(), NonZeroU16::new(partitions).unwrap(), NonZeroU16::MIN).await.unwrap();
        shop
    }

    /// Removes the topics of every shop.
    pub(crate) async fn close(&self) {
        let prefixes = std::mem::take(&mut *self.prefixes.lock().unwrap());
        let topics = || Topic::ALL.into_iter().flat_map(|topic| [topic.name(), topic.dead_letter_name()]);
        let names: Vec<String> = prefixes.iter().flat_map(|prefix| topics().map(move |topic| format!("{prefix}{topic}"))).collect();
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Some were never made.
        let _gone = admin.delete_topics(&names, &AdminOptions::new()).await;
    }
}

/// One shop on a broker.
pub(crate) struct Shop {
    pub(crate) brokers: String,
    pub(crate) prefix: String,
}

impl Shop {
    pub(crate) fn options(&self) -> KafkaOptions {
        let options: KafkaOptions = self.brokers.parse().unwrap();
        options.with_prefix(&self.prefix).unwrap().with_properties(IMPATIENT).unwrap()
    }

    pub(crate) async fn bus(&self) -> KafkaBus {
        KafkaBus::connect(&self.options()).await.unwrap()
    }

    /// What a topic or group is called on the broker.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// How a client that is no part of the shop begins.
    pub(crate) fn stranger(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

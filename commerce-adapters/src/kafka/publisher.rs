use super::KafkaOptions;
use super::apart::EndsApart;
use super::told::Told;
use super::wire::{Record, record};
use commerce_core::messaging::{BusError, DeadLetterCopy, Message};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer, PurgeConfig};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long publishing a batch takes at most: shorter than the claim of a relay, so that nobody else publishes the same meanwhile.
const PUBLISH_MAX: Duration = Duration::from_secs(5);

/// Small batches come from a relay that waits for them: they are neither held back nor sent one by one.
const DEFAULTS: [(&str, &str); 2] = [("linger.ms", "1"), ("compression.type", "lz4")];

/// Each message is written by every replica that is in step, once and behind the one before it. No message gives up for itself, or the one
/// behind it could be written without it: a batch that takes too long gives up as a whole. Keys find their partition as those of Java clients
/// do.
const MUSTS: [(&str, &str); 4] =
    [("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", "0"), ("partitioner", "murmur2_random")];

/// Writes messages to Kafka.
pub(super) struct Publisher {
    config: ClientConfig,
    told: Told,
    producer: Mutex<Arc<EndsApart<FutureProducer<Told>>>>,
}

impl Publisher {
    pub(super) fn open(options: &KafkaOptions) -> KafkaResult<Self> {
        let (config, told) = (options.client(&DEFAULTS, &MUSTS), Told::default());
        let producer = Mutex::new(producer(&config, &told)?);
        Ok(Self { config, told, producer })
    }

    /// Writes messages in the order given, each to the topic it is put with, and waits until all are written.
    ///
    /// # Errors
    /// [`BusError`] if it is not certain that all of them are. Those that are written of a partition are the first ones then.
    pub(super) async fn publish(&self, messages: &[(String, &Message)]) -> Result<(), BusError> {
        let producer = Arc::clone(&self.producer.lock().unwrap_or_else(PoisonError::into_inner));
        let outcome = tokio::time::timeout(PUBLISH_MAX, write(&producer, messages)).await;
        let error = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_late) => self.told.reason(&format!("no broker has taken the messages within {} s", PUBLISH_MAX.as_secs())),
        };
        self.replace(&producer);
        Err(BusError(error.into()))
    }

    /// Goes on with a new producer: what the failed one had begun must not be written behind what comes next.
    fn replace(&self, failed: &Arc<EndsApart<FutureProducer<Told>>>) {
        let mut current = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, failed) {
            match producer(&self.config, &self.told) {
                Ok(producer) => *current = producer,
                Err(error) => tracing::error!(%error, "cannot replace a producer that failed"),
            }
        }
        drop(current);
        let failed = Arc::clone(failed);
        std::thread::spawn(move || failed.purge(PurgeConfig::default().queue().inflight()));
    }

    /// Waits until everything is written that is on its way.
    pub(super) async fn flush(&self) -> Result<(), BusError> {
        let producer = Arc::clone(&self.producer.lock().unwrap_or_else(PoisonError::into_inner));
        let flushed = tokio::task::spawn_blocking(move || producer.flush(PUBLISH_MAX)).await;
        flushed.map_err(|error| BusError(error.into()))?.map_err(|error| BusError(error.into()))
    }
}

fn producer(config: &ClientConfig, told: &Told) -> KafkaResult<Arc<EndsApart<FutureProducer<Told>>>> {
    Ok(Arc::new(EndsApart::new(config.create_with_context(told.clone())?)))
}

async fn write(producer: &FutureProducer<Told>, messages: &[(String, &Message)]) -> Result<(), String> {
    // All are on their way before the first is waited for.
    let sent: Vec<DeliveryFuture> = messages.iter().map(|(topic, message)| send(producer, topic, message)).collect::<Result<_, _>>()?;
    for delivery in sent {
        let written = delivery.await.map_err(|_gone| "the producer was replaced".to_owned())?;
        written.map_err(|(error, _)| error.to_string())?;
    }
    Ok(())
}

fn send(producer: &FutureProducer<Told>, topic: &str, message: &Message) -> Result<DeliveryFuture, String> {
    let copy = DeadLetterCopy::of(message);
    let Record { key, headers, payload } = record(message, copy.as_ref());
    let record = FutureRecord::to(topic).key(&key).payload(payload).headers(headers);
    producer.send_result(record).map_err(|(error, _)| error.to_string())
}

//! The message bus on Kafka, for a shop on more than one machine.
//!
//! The outbox's relay publishes; groups of consumers share the partitions of the topics. How messages are written is in docs/EVENTS.md.

mod acknowledged;
mod apart;
mod bus;
mod lag;
mod member;
mod options;
mod probe;
mod publisher;
mod subscription;
mod told;
mod topics;
mod wire;

pub use apart::clients_ended;
pub use bus::{ConnectError, KafkaBus};
pub use lag::PartitionLag;
pub use options::{KafkaOptions, OptionsError};
pub use topics::{Found, TopicState, TopicsError, create_topics};

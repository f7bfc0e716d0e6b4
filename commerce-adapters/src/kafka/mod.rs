//! The message bus on Kafka, for a shop on more than one machine.

use super::{Delivery, Envelope, EventType, Group, Message, Source, Topic};
use crate::EventId;
use crate::store::StoreError;
use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;

const CONTENTION_ROUNDS_MAX: u32 = 5;

/// What is to be done about a message.
#[derive(Clone)]
pub(super) enum Work {
    /// Handle the event; the message is kept for the case that it cannot be.
    Handle { envelope: Envelope, message: Arc<Message>, source: Source },
    /// Put the message aside.
    Bury { message: Arc<Message>, source: Source, reason: String, attempts: u32 },
}

impl Work {
    pub(super) fn event(&self) -> EventId {
        match self {
            Self::Handle { envelope, .. } => envelope.id,
            Self::Bury { message, .. } => message.id,
        }
    }

    /// What is left to do after an error: wait out an outage, try contention a few times more, put aside what breaks alone.
    pub(super) fn after(self, error: &StoreError, rounds: u32) -> Self {
        let hopeless = !error.is_outage() && (!error.is_contention() || rounds >= CONTENTION_ROUNDS_MAX);
        match self {
            Self::Handle { message, source, .. } if hopeless => Self::Bury { message, source, reason: error.to_string(), attempts: rounds },
            work => work,
        }
    }
}

/// The topics in which events of these types travel.
pub(crate) fn topics(handles: &[EventType]) -> Vec<Topic> {
    Topic::ALL.into_iter().filter(|topic| handles.iter().any(|event_type| event_type.topic() == *topic)).collect()
}

/// What a group has to do about what was delivered to it; a message that came twice is done once.
pub(super) fn works(group: Group, deliveries: Vec<Delivery>, handles: &[EventType]) -> Vec<Work> {
    let mut seen = HashSet::new();
    let work = |Delivery { source, message, unreadable }: Delivery| {
        // What this group has no business with is not its dead letter, readable or not.
        if !message.is_for(group) || EventType::parse(&message.event_type).is_some_and(|event_type| !handles.contains(&event_type)) {
            return None;
        }
        let message = Arc::new(message);
        Some(match unreadable.map_or_else(|| decode(&message), Err) {
            Ok(envelope) => Work::Handle { envelope, message, source },
            Err(reason) => Work::Bury { message, source, reason, attempts: 1 },
        })
    };
    deliveries.into_iter().filter_map(work).filter(|work| seen.insert(work.event())).collect()
}

fn decode(message: &Message) -> Result<Envelope, String> {
    Envelope::decode(message).map_err(|error| match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

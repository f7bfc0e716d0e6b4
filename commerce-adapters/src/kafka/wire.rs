//! How messages are written to Kafka, and read: the table in docs/EVENTS.md says it in words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use commerce_core::messaging::{DeadLetterCopy, Delivery, Group, Groups, Message, Source};
use commerce_core::{EventId, Timestamp};
use rdkafka::message::{Header, Headers, Message as Found, OwnedHeaders};
use std::collections::HashMap;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

const ID: &str = "id";
const TYPE: &str = "type";
const VERSION: &str = "version";
const AGGREGATE_TYPE: &str = "aggregate-type";
const OCCURRED_AT: &str = "occurred-at";
const CORRELATION: &str = "correlation";
const TRACE_PARENT: &str = "traceparent";
const ONLY_FOR: &str = "only-for";
const HANDLED_BY: &str = "handled-by";
/// On a payload that was cut: how many bytes it had.
const CUT: &str = "cut";

const ERROR: &str = "error";
const GROUP: &str = "group";
const SOURCE_TOPIC: &str = "source-topic";
const SOURCE_PARTITION: &str = "source-partition";
const SOURCE_OFFSET: &str = "source-offset";
const ATTEMPTS: &str = "attempts";
const PUT_ASIDE_AT: &str = "put-aside-at";

/// With its headers it fits into what a topic takes by default, 1 MiB. No event comes near; a message that somebody else wrote, put aside and
/// sent again, may be longer, and must not keep the others from being sent.
const PAYLOAD_BYTES_MAX: usize = 900_000;
/// The longest error that travels in a header.
const ERROR_BYTES_MAX: usize = 1_000;
/// The longest text of a header that is read: the store has places for no longer ones.
const TEXT_BYTES_MAX: usize = 64;

/// A message as it is written.
pub(super) struct Record<'a> {
    pub(super) key: String,
    pub(super) headers: OwnedHeaders,
    pub(super) payload: &'a str,
}

/// Writes a message. `copy` is what tells of a dead letter, if the message is the copy of one.
pub(super) fn record<'a>(message: &'a Message, copy: Option<&'a DeadLetterCopy>) -> Record<'a> {
    let Message {
        id, event_type, version, aggregate_type, aggregate_id, occurred_at, correlation, trace_parent, only_for, handled_by, ..
    } = message;
    let mut headers = With(OwnedHeaders::new_with_capacity(10))
        .header(ID, id)
        .header(TYPE, event_type)
        .header(VERSION, version)
        .header(AGGREGATE_TYPE, aggregate_type)
        .header(OCCURRED_AT, occurred_at.millis())
        .header(CORRELATION, correlation);
    if let Some(trace_parent) = trace_parent {
        headers = headers.header(TRACE_PARENT, trace_parent);
    }
    if let Some(group) = only_for {
        headers = headers.header(ONLY_FOR, group.name());
    }
    if !handled_by.is_empty() {
        headers = headers.header(HANDLED_BY, handled_by);
    }
    if let Some(copy) = copy {
        headers = headers
            .header(ERROR, beginning(&copy.error, ERROR_BYTES_MAX))
            .header(GROUP, &copy.group)
            .header(SOURCE_TOPIC, &copy.source_topic)
            .header(SOURCE_PARTITION, copy.source_partition)
            .header(SOURCE_OFFSET, copy.source_offset)
            .header(ATTEMPTS, copy.attempts)
            .header(PUT_ASIDE_AT, copy.at.millis());
    }
    let whole = copy.map_or(&message.payload, |copy| &copy.payload);
    let payload = beginning(whole, PAYLOAD_BYTES_MAX);
    if payload.len() < whole.len() {
        headers = headers.header(CUT, whole.len());
    }
    Record { key: aggregate_id.to_string(), headers: headers.0, payload }
}

/// Headers that grow.
struct With(OwnedHeaders);

impl With {
    fn header(self, key: &str, value: impl Display) -> Self {
        Self(self.0.insert(Header { key, value: Some(&value.to_string()) }))
    }
}

/// As much of a text as fits into `bytes_max`.
fn beginning(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Reads what was found at a place. What cannot be read is delivered all the same, for its group to put aside.
pub(super) fn delivery(source: Source, found: &impl Found) -> Delivery {
    let mut reading = Reading { headers: headers(found), wrong: None };
    let message = reading.message(source, found);
    Delivery { source, message, unreadable: reading.wrong }
}

/// The last value of each header.
fn headers(found: &impl Found) -> HashMap<&str, &[u8]> {
    let Some(headers) = found.headers() else { return HashMap::new() };
    // The client library panics at a name that is not UTF-8: then all headers are missing.
    let read = || headers.iter().filter_map(|header| Some((header.key, header.value?))).collect();
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_default()
}

/// A message that is being read.
struct Reading<'a> {
    headers: HashMap<&'a str, &'a [u8]>,
    /// What was wrong first.
    wrong: Option<String>,
}

impl Reading<'_> {
    fn message(&mut self, source: Source, found: &impl Found) -> Message {
        let id = self.parsed(ID);
        let event_type = self.text(TYPE).unwrap_or_default();
        let version = self.parsed(VERSION).unwrap_or_default();
        let aggregate_type = self.text(AGGREGATE_TYPE).unwrap_or_default();
        let occurred_at = self.parsed(OCCURRED_AT).map(Timestamp::from_millis);
        let correlation = self.text(CORRELATION).unwrap_or_default();
        let trace_parent = if self.headers.contains_key(TRACE_PARENT) { self.text(TRACE_PARENT) } else { None };
        let only_for = if self.headers.contains_key(ONLY_FOR) { self.text(ONLY_FOR) } else { None };
        let only_for = only_for.and_then(|name| Group::named(&name).or_else(|| self.complain(format!("there is no group {name:?}"))));
        let handled_by = self.headers.get(HANDLED_BY).and_then(|names| str::from_utf8(names).ok());
        let handled_by = handled_by.map_or_else(Groups::default, Groups::named);
        let key = found.key().and_then(|key| str::from_utf8(key).ok()).and_then(|key| key.parse().ok());
        let aggregate_id = key.or_else(|| self.complain("its key is no number".into()));
        let payload = self.payload(found.payload().unwrap_or_default());
        let id = id.and_then(|id| EventId::new(id).or_else(|error| self.complain(error.to_string()).ok_or(())).ok());
        // An id that cannot be trusted could be that of another event, which would then be passed over.
        let id = id.filter(|_| self.wrong.is_none()).unwrap_or_else(|| id_of_place(source));
        Message {
            id,
            event_type,
            version,
            topic: source.topic.name().to_owned(),
            aggregate_type,
            aggregate_id: aggregate_id.unwrap_or_default(),
            occurred_at: occurred_at.unwrap_or_else(|| Timestamp::from_millis(found.timestamp().to_millis().unwrap_or_default())),
            correlation,
            trace_parent,
            only_for,
            handled_by,
            payload,
        }
    }

    /// Notes what is wrong, unless something was before.
    fn complain<T>(&mut self, wrong: String) -> Option<T> {
        self.wrong.get_or_insert(wrong);
        None
    }

    /// The text of a header, as much of it as there is a place for.
    fn text(&mut self, name: &str) -> Option<String> {
        let Some(bytes) = self.headers.get(name) else { return self.complain(format!("it has no header {name}")) };
        match str::from_utf8(bytes) {
            Ok(text) if text.len() <= TEXT_BYTES_MAX => Some(text.to_owned()),
            Ok(text) => {
                self.wrong.get_or_insert(format!("its header {name} is longer than {TEXT_BYTES_MAX} bytes"));
                Some(beginning(text, TEXT_BYTES_MAX).to_owned())
            }
            Err(_) => self.complain(format!("its header {name} is not UTF-8")),
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        text.parse().ok().or_else(|| self.complain(format!("its header {name} cannot be {text:?}")))
    }

    /// The payload; in base64 if it is no text.
    fn payload(&mut self, bytes: &[u8]) -> String {
        if self.headers.contains_key(CUT) {
            self.wrong.get_or_insert("its payload was too long and is cut".into());
        }
        if let Ok(text) = str::from_utf8(bytes) {
            return text.to_owned();
        }
        self.wrong.get_or_insert("its payload is not UTF-8 and stands here in base64".into());
        STANDARD.encode(bytes)
    }
}

/// An id for what was found at a place and has none: the same whenever it comes, and larger than any the store gives out.
fn id_of_place(Source { topic, partition, offset }: Source) -> EventId {
    const HIGHEST_BIT: i64 = 1 << 52;
    let place = (topic as i64 & 0x3) << 50 | (i64::from(partition) & 0x3ff) << 40 | (offset & 0xff_ffff_ffff);
    EventId::new(HIGHEST_BIT | place).expect("it has 53 bits, and not all of them are 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use commerce_core::messaging::Topic;
    use rdkafka::Timestamp as RecordTimestamp;
    use rdkafka::message::OwnedMessage;

    const PLACE: Source = Source { topic: Topic::CouponIssue, partition: 7, offset: 1_234_567 };

    fn message() -> Message {
        Message {
            id: EventId::new(42).unwrap(),
            event_type: "CouponIssueRequested".into(),
            version: 1,
            topic: "coupon-issued".into(),
            aggregate_type: "coupon".into(),
            aggregate_id: 9,
            occurred_at: Timestamp::from_millis(1_767_225_600_123),
            correlation: "task-7".into(),
            trace_parent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            only_for: Some(Group::CouponIssuer),
            handled_by: [Group::Stock, Group::Order].into_iter().collect(),
            payload: r#"{"name":"😀"}"#.into(),
        }
    }

    fn found(key: Option<&[u8]>, headers: OwnedHeaders, payload: &[u8]) -> OwnedMessage {
        let at = RecordTimestamp::CreateTime(99);
        OwnedMessage::new(Some(payload.to_vec()), key.map(<[u8]>::to_vec), "t".into(), at, 7, 1_234_567, Some(headers))
    }

    fn written(message: &Message, copy: Option<&DeadLetterCopy>) -> OwnedMessage {
        let Record { key, headers, payload } = record(message, copy);
        found(Some(key.as_bytes()), headers, payload.as_bytes())
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let bare = Message { only_for: None, handled_by: Groups::default(), trace_parent: None, ..message() };
        for message in [
            message(),
            Message { only_for: message().only_for, ..bare.clone() },
            Message { handled_by: message().handled_by, ..bare.clone() },
            Message { trace_parent: message().trace_parent, ..bare.clone() },
            bare,
        ] {
            assert_eq!(delivery(PLACE, &written(&message, None)), Delivery::new(PLACE, message));
        }
    }

    #[test]
    fn what_others_wrote_is_delivered_with_what_is_wrong_with_it() {
        let with = |name: &str, value: &[u8]| {
            let headers = record(&message(), None).headers;
            found(Some(b"9"), headers.insert(Header { key: name, value: Some(value) }), b"{}")
        };
        let without_headers = OwnedMessage::new(None, None, "t".into(), RecordTimestamp::NotAvailable, 7, 1_234_567, None);
        let cases = [
            (without_headers, "it has no header id"),
            (found(None, record(&message(), None).headers, b"{}"), "its key is no number"),
            (found(Some(b"\xff"), record(&message(), None).headers, b"{}"), "its key is no number"),
            (found(Some(b"9"), record(&message(), None).headers, b"\xff\x00"), "its payload is not UTF-8 and stands here in base64"),
            (with("id", b"0"), "0 is no id: ids are whole numbers from 1 to 9007199254740991"),
            (with("id", b"seven"), r#"its header id cannot be "seven""#),
            (with("version", b"-1"), r#"its header version cannot be "-1""#),
            (with("type", b"\xff"), "its header type is not UTF-8"),
            (with("correlation", &[b'x'; 65]), "its header correlation is longer than 64 bytes"),
            (with("only-for", b"nobody"), r#"there is no group "nobody""#),
        ];
        for (found, wrong) in cases {
            let Delivery { source, message, unreadable } = delivery(PLACE, &found);
            assert_eq!(unreadable.as_deref(), Some(wrong));
            assert_eq!((source, message.id, message.topic.as_str()), (PLACE, id_of_place(PLACE), "coupon-issued"));
        }
        assert_eq!(delivery(PLACE, &found(Some(b"9"), record(&message(), None).headers, b"\xff\x00")).message.payload, "/wA=");
    }

    #[test]
    fn the_copy_of_a_dead_letter_is_the_message_as_it_came_and_headers_that_tell_of_it() {
        let copy = DeadLetterCopy {
            group: "coupon-issuer".into(),
            source_topic: "coupon-issued".into(),
            source_partition: 7,
            source_offset: 1_234_567,
            error: "é".repeat(900),
            attempts: 3,
            at: Timestamp::from_millis(5),
            payload: message().payload,
        };
        let in_the_outbox = Message { topic: "coupon-issued.dlq".into(), payload: "what the outbox holds".into(), ..message() };
        let found = written(&in_the_outbox, Some(&copy));
        assert_eq!(delivery(PLACE, &found).message, message());
        let headers = headers(&found);
        let text = |name: &str| str::from_utf8(headers[name]).unwrap();
        let told = ["group", "source-topic", "source-partition", "source-offset", "attempts", "put-aside-at"].map(text);
        assert_eq!(told, ["coupon-issuer", "coupon-issued", "7", "1234567", "3", "5"]);
        assert_eq!(text("error"), "é".repeat(500));
    }

    #[test]
    fn a_payload_that_no_topic_takes_is_cut_and_can_be_told_from_a_whole_one() {
        let long = Message { payload: "😀".repeat(300_000), ..message() };
        let Delivery { message, unreadable, .. } = delivery(PLACE, &written(&long, None));
        assert_eq!(message.payload.len(), 900_000);
        assert_eq!(unreadable.as_deref(), Some("its payload was too long and is cut"));
    }

    #[test]
    fn places_have_ids_of_their_own() {
        let mut ids = std::collections::BTreeSet::new();
        for topic in Topic::ALL {
            for partition in [0, 1, 1_023] {
                for offset in [0, 1, (1 << 40) - 1] {
                    assert!(ids.insert(id_of_place(Source { topic, partition, offset })));
                }
            }
        }
        assert!(ids.first().unwrap().get() >= 1 << 52);
    }
}

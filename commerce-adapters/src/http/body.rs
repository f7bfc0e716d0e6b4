//! Request bodies: strict JSON of a bounded size.

use super::failure::{Failure, Outcome};
use super::turn::Turn;
use axum::body::Body;
use axum::body::HttpBody as _;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Bytes, BytesMut};
use commerce_core::ErrorCode;
use futures_util::poll;
use http_body_util::BodyExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

/// The largest body, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;
/// How much of a body that is too large is read and thrown away, in bytes, so that its client is there to hear the answer.
const DISCARD_BYTES_MAX: usize = 1024 * 1024;

/// Reads a whole body. While it has not arrived the request does not count as being in flight.
pub(super) async fn read(body: Body, deadline: Duration, turn: Option<&Turn>) -> Outcome<Bytes> {
    let mut collected = pin!(collect(body));
    if let Poll::Ready(collected) = poll!(&mut collected) {
        return collected;
    }
    turn.inspect(|turn| turn.step_aside());
    let collected = timeout(deadline, collected).await;
    if let Some(turn) = turn {
        turn.take_again()?;
    }
    match collected {
        Ok(collected) => collected,
        Err(_elapsed) => {
            let message = format!("the body did not arrive within {} seconds: send the request again", deadline.as_secs());
            Err(Failure::new(ErrorCode::InvalidParameter, message))
        }
    }
}

async fn collect(mut body: Body) -> Outcome<Bytes> {
    if body.size_hint().lower() > DISCARD_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let (mut first, mut rest, mut len) = (Bytes::new(), BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let broken = |_| Failure::new(ErrorCode::InvalidParameter, "the body broke off: send the request again");
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        len += data.len();
        if len > DISCARD_BYTES_MAX {
            break;
        } else if len > BODY_BYTES_MAX {
            rest.clear();
        } else if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    if len > BODY_BYTES_MAX {
        return Err(too_large());
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

fn too_large() -> Failure {
    Failure::new(ErrorCode::PayloadTooLarge, format!("the body is larger than {BODY_BYTES_MAX} bytes: send less at once"))
}

/// Checks that the body is JSON by its content type.
pub(super) fn check_content_type(headers: &HeaderMap) -> Outcome<()> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Failure::new(ErrorCode::UnsupportedMediaType, "the body must be JSON: send it with Content-Type: application/json"))
    }
}

/// Reads `T` from JSON that is nothing but one object.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    if body.is_empty() {
        return Err(Failure::new(ErrorCode::InvalidParameter, "the body is empty: send a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| refusal(&error))?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Failure {
    let position = format!("line {}, column {}", error.line(), error.column());
    Failure::new(ErrorCode::InvalidParameter, format_args!("the body is not valid JSON in UTF-8, at {position}: {}", reason(error)))
}

/// What is wrong, without the position that the parser adds.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

/// Says what is wrong with which field. What the client sent is not repeated: it may be a secret.
fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Failure {
    if !error.inner().is_data() {
        return not_json(error.inner());
    }
    let reason = reason(error.inner());
    let path = error.path().to_string();
    let parent = if path == "." { "" } else { path.as_str() };
    let quoted = || reason.split('`').nth(1).unwrap_or_default();
    let member = || match parent.rsplit('.').next() {
        Some(last) if last == quoted() => parent.to_owned(),
        _ if parent.is_empty() => quoted().to_owned(),
        _ => format!("{parent}.{}", quoted()),
    };
    if reason.starts_with("missing field") {
        let field = member();
        return Failure::invalid(&field, format_args!("the field {field} is missing"));
    }
    if reason.starts_with("unknown field") {
        let field = member();
        return Failure::invalid(&field, format_args!("the field {field} is not known here: leave it out"));
    }
    if reason.starts_with("duplicate field") {
        let field = member();
        return Failure::invalid(&field, format_args!("the field {field} comes twice: send it once"));
    }
    let subject = if parent.is_empty() { "the body".to_owned() } else { format!("the field {parent}") };
    let message = match reason.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{subject} must be {}", in_words(expected)),
        None => reason,
    };
    if parent.is_empty() { Failure::new(ErrorCode::InvalidParameter, message) } else { Failure::invalid(parent, message) }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "i64" => "a whole number of at most 64 bits",
        "a sequence" => "a list",
        other => other,
    }
}

/// A JSON object. Derived readers would take a list of the values in order for it as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;

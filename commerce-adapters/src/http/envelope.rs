//! The envelope every JSON answer comes in, and RFC 9457 for clients that ask for it.

use super::failure::FieldError;
use super::status::{is_retryable, status_of};
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use commerce_core::ErrorCode;
use commerce_core::idempotency::StoredAnswer;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// What is sent if an answer cannot be written as JSON.
const UNWRITABLE: &[u8] =
    br#"{"meta":{"result":"FAIL","errorCode":"INTERNAL_SERVER_ERROR","message":"The answer could not be written."},"data":null}"#;

#[derive(Serialize, Deserialize)]
struct Envelope<'a, T> {
    #[serde(borrow)]
    meta: Meta<'a>,
    data: T,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    result: Cow<'a, str>,
    error_code: Cow<'a, str>,
    message: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// A problem as RFC 9457 writes it.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: Cow<'a, str>,
    code: Cow<'a, str>,
    retryable: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// The plain body of a failure, beside the response it was made into: what [`as_problem`] starts from.
#[derive(Clone)]
struct FailureBody(Bytes);

/// A successful answer with `data`.
pub(super) fn success<T: Serialize>(status: StatusCode, data: &T) -> StoredAnswer {
    let meta = Meta { result: "SUCCESS".into(), error_code: "".into(), message: "Done.".into(), errors: Vec::new() };
    stored(status, &Envelope { meta, data })
}

/// The answer to a request that is refused or failed.
pub(super) fn failure(code: ErrorCode, message: &str, errors: Vec<FieldError>) -> StoredAnswer {
    let meta = Meta { result: "FAIL".into(), error_code: code.as_str().into(), message: message.into(), errors };
    stored(status_of(code), &Envelope { meta, data: () })
}

fn stored<T: Serialize>(status: StatusCode, envelope: &T) -> StoredAnswer {
    match serde_json::to_vec(envelope) {
        Ok(body) => StoredAnswer { status: status.as_u16(), location: None, body },
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StoredAnswer { status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(), location: None, body: UNWRITABLE.to_vec() }
        }
    }
}

/// Makes a response of an answer.
pub(super) fn respond(answer: StoredAnswer) -> Response {
    let StoredAnswer { status, location, body } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = Bytes::from(body);
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
        response.headers_mut().insert(LOCATION, location);
    }
    if !status.is_success() {
        response.extensions_mut().insert(FailureBody(body));
    }
    response
}

/// A successful answer with `data`, as a response.
pub(super) fn ok<T: Serialize>(data: &T) -> Response {
    respond(success(StatusCode::OK, data))
}

/// Whether the client asks for failures in the form of RFC 9457.
pub(super) fn problem_wanted(headers: &HeaderMap) -> bool {
    accepts_by_name(headers, "application/problem+json")
}

/// Whether the client asks for plain JSON where a stream of events is to be had.
pub(super) fn json_wanted(headers: &HeaderMap) -> bool {
    accepts_by_name(headers, "application/json") && !accepts_by_name(headers, "text/event-stream")
}

fn accepts_by_name(headers: &HeaderMap, wanted: &str) -> bool {
    let asks = |value: &HeaderValue| value.to_str().is_ok_and(|accept| accept.split(',').any(|range| names(range, wanted)));
    headers.get_all(ACCEPT).iter().any(asks)
}

fn names(range: &str, wanted: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let named = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(wanted));
    let refused = |parameter: &str| matches!(parameter.split_once('='), Some((q, weight)) if q.eq_ignore_ascii_case("q") && weight.parse() == Ok(0.0));
    named && !parts.any(refused)
}

/// The same failure in the form of RFC 9457; any other response as it is.
pub(super) fn as_problem(mut response: Response) -> Response {
    let Some(FailureBody(body)) = response.extensions_mut().remove::<FailureBody>() else {
        return response;
    };
    let Ok(Envelope { meta, data: () }) = serde_json::from_slice::<Envelope<()>>(&body) else {
        return response;
    };
    let status = response.status();
    let problem = Problem {
        r#type: format!("urn:commerce:error:{}", meta.error_code),
        title: title(&meta.error_code),
        status: status.as_u16(),
        retryable: ErrorCode::parse(&meta.error_code).is_some_and(is_retryable),
        detail: meta.message,
        code: meta.error_code,
        errors: meta.errors,
    };
    if let Ok(body) = serde_json::to_vec(&problem) {
        *response.body_mut() = Body::from(body);
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// `OUT_OF_STOCK` in words: `Out of stock`.
fn title(code: &str) -> String {
    let words = code.replace('_', " ").to_ascii_lowercase();
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_has_an_empty_error_code_and_the_data() {
        let answer = success(StatusCode::OK, &[1, 2]);
        let expected = br#"{"meta":{"result":"SUCCESS","errorCode":"","message":"Done."},"data":[1,2]}"#;
        assert_eq!(answer.body, expected);
    }

    #[test]
    fn a_problem_is_wanted_only_where_accept_names_it() {
        let wanted = |accept: &'static str| problem_wanted(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]));
        assert!(wanted("application/problem+json"));
        assert!(wanted("application/json, Application/Problem+JSON;q=0.5"));
        assert!(!wanted("application/problem+json;q=0"));
        assert!(!wanted("*/*"));
        assert!(!wanted("application/json"));
    }

    #[test]
    fn json_is_wanted_where_accept_names_it_and_no_stream() {
        let wanted = |accept: &'static str| json_wanted(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]));
        assert!(wanted("application/json"));
        assert!(wanted("application/json;q=0.9, */*;q=0.1"));
        assert!(!wanted("text/event-stream, application/json"));
        assert!(!wanted("application/json;q=0"));
        assert!(!wanted("*/*"));
        assert!(!json_wanted(&HeaderMap::new()));
    }

    #[test]
    fn every_failure_has_a_status_that_is_one() {
        for &code in ErrorCode::ALL {
            assert!(status_of(code).is_client_error() || status_of(code).is_server_error(), "{code}");
        }
    }
}

//! `Prefer: wait=N` (RFC 7240): the client would rather wait than poll.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use std::convert::Infallible;
use std::time::Duration;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The longest wait, in seconds; who asks for more gets this.
const WAIT_MAX_S: u64 = 30;

/// How long the client is willing to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience(u64);

impl Patience {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        // The first preference of a name counts, also where it cannot be understood.
        let first = values.flat_map(|value| value.split(',')).find_map(wait_of)?;
        seconds(first).map(Self)
    }

    pub(super) const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// Tells the client of a replay the same if it was so the first time: only who waited was answered with 200.
    pub(super) fn applied_again(self, replayed: Response) -> Response {
        if replayed.status() == StatusCode::OK { self.applied(replayed) } else { replayed }
    }

    /// Tells the client that its wish was granted.
    pub(super) fn applied(self, mut response: Response) -> Response {
        if let Ok(value) = HeaderValue::try_from(format!("wait={}", self.0)) {
            response.headers_mut().insert(PREFERENCE_APPLIED, value);
        }
        response
    }
}

/// The value of a preference named `wait`.
fn wait_of(preference: &str) -> Option<&str> {
    let preference = preference.split(';').next().unwrap_or_default();
    let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
    name.trim().eq_ignore_ascii_case("wait").then(|| value.trim())
}

fn seconds(value: &str) -> Option<u64> {
    let digits = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(WAIT_MAX_S).min(WAIT_MAX_S))
}

/// What the client prefers; a preference that cannot be understood is ignored.
pub(super) struct Prefer(pub(super) Option<Patience>);

impl<S: Sync> FromRequestParts<S> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(Patience::of(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(values: &[&'static str]) -> Option<u64> {
        let headers = values.iter().map(|value| (PREFER, HeaderValue::from_static(value))).collect();
        Patience::of(&headers).map(|patience| patience.0)
    }

    #[test]
    fn a_wait_is_found_in_a_list_and_is_at_most_30_seconds() {
        assert_eq!(patience(&["wait=5"]), Some(5));
        assert_eq!(patience(&["respond-async, WAIT = \"7\"; foo=bar"]), Some(7));
        assert_eq!(patience(&["return=minimal", "wait=31"]), Some(30));
        assert_eq!(patience(&["wait=99999999999999999999999999"]), Some(30));
        assert_eq!(patience(&["wait=3, wait=4"]), Some(3));
        assert_eq!(patience(&["wait=0"]), Some(0));
    }

    #[test]
    fn a_wait_that_is_no_number_is_ignored() {
        for value in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=abc", "waiting=5", ""] {
            assert_eq!(patience(&[value]), None, "{value:?}");
        }
        assert_eq!(patience(&[]), None);
    }
}

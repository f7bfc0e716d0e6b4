//! `Prefer: wait=N` (RFC 7240): the client would rather wait than poll.

use super::guard::GivenUpAt;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// The longest wait, in seconds; who asks for more gets this.
const WAIT_MAX_S: u64 = 30;

/// What is left of the time of a request when a wait ends: enough for a last look, and to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How long the client is willing to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    seconds: u64,
    given_up_at: Option<Instant>,
}

impl Patience {
    fn of(headers: &HeaderMap, given_up_at: Option<Instant>) -> Option<Self> {
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        // The first preference of a name counts, also where it cannot be understood.
        let first = values.flat_map(|value| value.split(',')).find_map(wait_of)?;
        seconds(first).map(|seconds| Self { seconds, given_up_at })
    }

    /// How long to wait from now on: not so long that the request is given up meanwhile, whatever went before.
    pub(super) fn duration(self) -> Duration {
        let left = self.given_up_at.map(|at| at.saturating_duration_since(Instant::now()).saturating_sub(ANSWER_WITHIN));
        left.unwrap_or(Duration::MAX).min(Duration::from_secs(self.seconds))
    }

    /// Tells the client of a replay the same if it was so the first time: only who waited was answered with 200.
    pub(super) fn applied_again(self, replayed: Response) -> Response {
        if replayed.status() == StatusCode::OK { self.applied(replayed) } else { replayed }
    }

    /// Tells the client that its wish was granted.
    pub(super) fn applied(self, mut response: Response) -> Response {
        if let Ok(value) = HeaderValue::try_from(format!("wait={}", self.seconds)) {
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
        Ok(Self(Patience::of(&parts.headers, parts.extensions.get().map(|GivenUpAt(at)| *at))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(values: &[&'static str]) -> Option<u64> {
        let headers = values.iter().map(|value| (PREFER, HeaderValue::from_static(value))).collect();
        Patience::of(&headers, None).map(|patience| patience.seconds)
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

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_before_the_request_is_given_up() {
        let wait = |left| Patience { seconds: 30, given_up_at: Some(Instant::now() + Duration::from_secs(left)) }.duration();
        assert_eq!([35, 20, 1, 0].map(wait), [30, 19, 0, 0].map(Duration::from_secs));
        assert_eq!(Patience { seconds: 30, given_up_at: None }.duration(), Duration::from_secs(30));
    }

    #[test]
    fn a_wait_that_is_no_number_is_ignored() {
        for value in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=abc", "waiting=5", ""] {
            assert_eq!(patience(&[value]), None, "{value:?}");
        }
        assert_eq!(patience(&[]), None);
    }
}

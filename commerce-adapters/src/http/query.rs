//! Query strings, read as strictly as bodies: nothing unknown, nothing twice.

use super::cursor::Cursor;
use super::failure::{Failure, Outcome};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use commerce_core::store::PageLimit;
use std::convert::Infallible;

/// A query string that nobody has read yet.
pub(super) struct RawQuery(String);

impl<S: Sync> FromRequestParts<S> for RawQuery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.uri.query().unwrap_or_default().to_owned()))
    }
}

impl RawQuery {
    /// Reads the parameters that the route knows.
    pub(super) fn read(&self, known: &[&str]) -> Outcome<Query> {
        let mut query = Query(Vec::new());
        for pair in self.0.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let [name, value] = [name, value].map(decode);
            let name =
                name.ok_or_else(|| Failure::invalid("query", "the query string is not valid: encode it as UTF-8 with percent signs"))?;
            if !known.contains(&name.as_str()) {
                let message = match known {
                    [] => "this route takes no query parameters".to_owned(),
                    known => format!("the query parameter {name:?} is not known: use {}", known.join(", ")),
                };
                return Err(Failure::invalid(&name, message));
            }
            if query.get(&name).is_some() {
                return Err(Failure::invalid(&name, format_args!("the query parameter {name} comes twice: send it once")));
            }
            let value = value
                .ok_or_else(|| Failure::invalid(&name, format_args!("the query parameter {name} is not valid UTF-8 with percent signs")))?;
            query.0.push((name, value));
        }
        Ok(query)
    }
}

/// The parameters of a query string.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How many items the page is to hold.
    pub(super) fn limit(&self) -> Outcome<PageLimit> {
        let Some(text) = self.get("limit") else { return Ok(PageLimit::default()) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|_| digits).and_then(PageLimit::new);
        limit.ok_or_else(|| Failure::invalid("limit", format_args!("limit must be a whole number from 1 to {}", PageLimit::MAX)))
    }

    /// Where the page begins.
    pub(super) fn cursor<C: Cursor>(&self) -> Outcome<Option<C>> {
        let Some(text) = self.get("cursor") else { return Ok(None) };
        let cursor = C::decode(text).map(Some);
        cursor.ok_or_else(|| {
            Failure::invalid("cursor", "this cursor cannot be: send nextCursor of the page before as it came, or leave it out")
        })
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let [high, low] = [bytes.next()?, bytes.next()?].map(|digit| char::from(digit).to_digit(16));
                u8::try_from(high? * 16 + low?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_decoded_and_must_be_utf_8() {
        assert_eq!(decode("a+b%20c%EA%B0%80"), Some("a b c가".to_owned()));
        assert_eq!(decode("%"), None);
        assert_eq!(decode("%zz"), None);
        assert_eq!(decode("%ff"), None);
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let read = |text: &str| RawQuery(text.to_owned()).read(&["cursor", "limit"]);
        assert!(read("limit=5").is_ok());
        assert!(read("").is_ok());
        for wrong in ["limit=5&limit=5", "Limit=5", "limit=5&x=", "x", "limit=%ff"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_is_from_1_to_100() {
        let limit = |text: &str| RawQuery(format!("limit={text}")).read(&["limit"]).and_then(|query| query.limit());
        assert_eq!(limit("100").map(PageLimit::get), Ok(100));
        for wrong in ["0", "101", "-1", "%2B5", "", "1.5", "99999999999999999999"] {
            assert!(limit(wrong).is_err(), "{wrong:?}");
        }
    }
}

//! Ids in paths.

use super::failure::Failure;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use commerce_core::InvalidId;

/// The whole number in the path; each route has one at most.
pub(super) struct PathNumber {
    pub(super) name: String,
    pub(super) value: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for PathNumber {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Failure::invalid("path", "the path is not valid UTF-8"))?;
        let Some((name, text)) = params.iter().next() else {
            return Err(Failure::internal());
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse().ok().filter(|_| digits);
        let value = value
            .ok_or_else(|| Failure::invalid(name, format_args!("the path must have a whole number, of digits only, as its {name}")))?;
        Ok(Self { name: name.to_owned(), value })
    }
}

/// The id in the path.
pub(super) struct PathId<I>(pub(super) I);

impl<I: TryFrom<i64, Error = InvalidId>, S: Send + Sync> FromRequestParts<S> for PathId<I> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let PathNumber { name, value } = PathNumber::from_request_parts(parts, state).await?;
        I::try_from(value).map(Self).map_err(|invalid| Failure::invalid(&name, invalid))
    }
}

//! Why a request is refused or failed.

use super::envelope::{failure, respond};
use axum::http::HeaderValue;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use commerce_core::coupon::{CouponError, GateRefusal};
use commerce_core::idempotency::StoredAnswer;
use commerce_core::order::OrderError;
use commerce_core::payment::PaymentError;
use commerce_core::point::PointError;
use commerce_core::product::ProductError;
use commerce_core::ranking::RankingError;
use commerce_core::stock::StockError;
use commerce_core::store::StoreError;
use commerce_core::user::{PasswordError, UserError};
use commerce_core::{AdmissionError, CommandError, ErrorCode};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct FieldError {
    /// The path of the field, such as `orderProductRequests[0].quantity`.
    pub field: String,
    /// What is wrong with it, as a sentence.
    pub message: String,
}

/// A refusal or a failure on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    code: ErrorCode,
    message: String,
    errors: Vec<FieldError>,
    /// How long trying again is in vain, where that is known.
    retry_after: Option<Duration>,
}

pub(super) type Outcome<T = Response> = Result<T, Failure>;

impl Failure {
    /// A failure that says what was wrong; `message` becomes a sentence.
    pub(super) fn new(code: ErrorCode, message: impl Display) -> Self {
        Self { code, message: sentence(&message.to_string()), errors: Vec::new(), retry_after: None }
    }

    /// A value of the request that cannot be.
    pub(super) fn invalid(field: &str, message: impl Display) -> Self {
        Self::new(ErrorCode::InvalidParameter, message).at(field)
    }

    /// Names the field that is wrong.
    pub(super) fn at(mut self, field: &str) -> Self {
        self.errors.push(FieldError { field: field.to_owned(), message: self.message.clone() });
        self
    }

    pub(super) fn overloaded() -> Self {
        Self::new(ErrorCode::Overloaded, "too much is under way at the moment: try again in a second")
    }

    pub(super) fn internal() -> Self {
        Self::new(ErrorCode::InternalServerError, "something failed on our side: try again, and report it if it lasts")
    }

    /// The failure in the envelope.
    pub(super) fn into_answer(self) -> StoredAnswer {
        failure(self.code, &self.message, self.errors)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (code, retry_after) = (self.code, self.retry_after);
        let mut response = respond(self.into_answer());
        let headers = response.headers_mut();
        match code {
            ErrorCode::Unauthenticated | ErrorCode::BadCredentials => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ErrorCode::Overloaded | ErrorCode::IdempotencyKeyInFlight | ErrorCode::LockAcquireFailed => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if let Some(retry_after) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after)));
        }
        response
    }
}

/// Who comes back after so many seconds does not come too early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// Begins with a capital letter and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// A refusal of the domain: it has a stable code and says what was wrong.
pub(super) trait Refusal: Display {
    /// The stable code.
    fn error_code(&self) -> ErrorCode;

    /// How long trying again is in vain, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

macro_rules! refusals {
    ($($error:ty),+ $(,)?) => {$(
        impl Refusal for $error {
            fn error_code(&self) -> ErrorCode {
                self.code()
            }
        }
    )+};
}

refusals!(UserError, PointError, ProductError, StockError, CouponError, OrderError, PaymentError);

impl Refusal for PasswordError {
    fn error_code(&self) -> ErrorCode {
        match self {
            Self::InvalidLength => ErrorCode::InvalidUserPassword,
            Self::Unavailable => ErrorCode::Overloaded,
        }
    }
}

impl Refusal for GateRefusal {
    fn error_code(&self) -> ErrorCode {
        self.code()
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after } => Some(*retry_after),
            Self::Inactive | Self::Expired | Self::Duplicated | Self::OutOfStock => None,
        }
    }
}

impl<R: Refusal> From<R> for Failure {
    fn from(refusal: R) -> Self {
        let retry_after = refusal.retry_after();
        Self { retry_after, ..Self::new(refusal.error_code(), refusal) }
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::overloaded(),
            StoreError::Conflict => {
                Self::new(ErrorCode::LockAcquireFailed, "others are changing the same thing right now, and nothing was changed: try again")
            }
            StoreError::Unavailable(source) => {
                tracing::error!(error = %chain(source.as_ref()), "the store is unavailable");
                Self::new(ErrorCode::Overloaded, "the shop cannot reach its data right now: try again in a second")
            }
            StoreError::Ambiguous(source) => {
                tracing::error!(error = %chain(source.as_ref()), "the outcome of a commit is unknown");
                let message = "whether the change was made is not known: look at its present state, or send the request again with the same Idempotency-Key";
                Self::new(ErrorCode::InternalServerError, message)
            }
            StoreError::Duplicate { .. } | StoreError::Fenced { .. } | StoreError::Corrupt(_) | StoreError::Backend(_) => {
                tracing::error!(error = %chain(error), "the store failed");
                Self::internal()
            }
        }
    }
}

/// An error and what it came from, on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<Arc<StoreError>> for Failure {
    fn from(error: Arc<StoreError>) -> Self {
        Self::from(error.as_ref())
    }
}

impl<R: Refusal> From<CommandError<R>> for Failure {
    fn from(error: CommandError<R>) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Store(error) => error.into(),
            CommandError::Password(error) => error.into(),
        }
    }
}

impl From<AdmissionError> for Failure {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Refused(refusal) => refusal.into(),
            AdmissionError::Closed => Self::new(ErrorCode::Overloaded, error),
            AdmissionError::Gate(ref source) => {
                tracing::error!(error = %chain(source.as_ref()), "the coupon gate is unavailable");
                Self::new(ErrorCode::Overloaded, error)
            }
            AdmissionError::Store(error) => error.into(),
        }
    }
}

impl From<RankingError> for Failure {
    fn from(error: RankingError) -> Self {
        match error {
            RankingError::Store(error) => error.into(),
            RankingError::InTheMaking | RankingError::OutOfReach => Self::new(ErrorCode::Overloaded, error),
            RankingError::Lock(_) | RankingError::Board(_) => {
                tracing::error!(error = %chain(&error), "the ranking is unavailable");
                Self::new(ErrorCode::Overloaded, "the ranking cannot be read right now: try again in a second")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_sentence() {
        assert_eq!(sentence("user 7 does not exist"), "User 7 does not exist.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence("élan"), "Élan.");
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2), (180_000, 180)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}

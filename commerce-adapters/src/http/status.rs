//! The one place that says which HTTP status a refusal has.

use axum::http::StatusCode;
use commerce_core::ErrorCode;

/// The HTTP status of answers with this code.
pub(super) const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidParameter
        | ErrorCode::InvalidUserName
        | ErrorCode::InvalidUserEmail
        | ErrorCode::InvalidUserPassword
        | ErrorCode::InvalidUserPoint
        | ErrorCode::InsufficientUserPoint
        | ErrorCode::OutOfStock
        | ErrorCode::InvalidStock
        | ErrorCode::InvalidOrderQuantity
        | ErrorCode::CannotPayOrder
        | ErrorCode::InvalidPercentDiscount
        | ErrorCode::InvalidFixedDiscount
        | ErrorCode::ExpiredCoupon
        | ErrorCode::OutOfStockCoupon => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated | ErrorCode::BadCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden
        | ErrorCode::InactiveUser
        | ErrorCode::InactiveProduct
        | ErrorCode::InactiveCoupon
        | ErrorCode::InvalidCouponOwnership => StatusCode::FORBIDDEN,
        ErrorCode::ResourceNotFound | ErrorCode::OptionNotFound | ErrorCode::NotFoundUserCoupon => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::DuplicateEmail
        | ErrorCode::LockAcquireFailed
        | ErrorCode::CannotCancelOrder
        | ErrorCode::CannotRefundPayment
        | ErrorCode::AlreadyUsedCoupon
        | ErrorCode::DuplicatedCoupon
        | ErrorCode::IdempotencyKeyInFlight => StatusCode::CONFLICT,
        ErrorCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Whether the same request may succeed when it is sent again a little later.
pub(super) const fn is_retryable(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Overloaded | ErrorCode::TooManyRequests | ErrorCode::LockAcquireFailed | ErrorCode::IdempotencyKeyInFlight)
}

//! The stable codes under which refusals reach clients.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// A stable code for a refusal: clients branch on it, orders and payments remember it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it is written in answers, events and tables.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The code written as `text`.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

error_codes! {
    /// A value of the request is missing, of the wrong type or out of range.
    InvalidParameter = "INVALID_PARAMETER",
    /// What the request names does not exist, or is not the caller's.
    ResourceNotFound = "RESOURCE_NOT_FOUND",
    /// Something failed on our side.
    InternalServerError = "INTERNAL_SERVER_ERROR",
    /// A lock was not granted in time.
    LockAcquireFailed = "LOCK_ACQUIRE_FAILED",
    /// No valid token came with the request.
    Unauthenticated = "UNAUTHENTICATED",
    /// The caller may not do this.
    Forbidden = "FORBIDDEN",
    /// The path exists, the method does not.
    MethodNotAllowed = "METHOD_NOT_ALLOWED",
    /// The body is larger than the limit.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE",
    /// The body is not JSON by its content type.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
    /// The idempotency key came with another request before.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
    /// A request with the same idempotency key is still being worked on.
    IdempotencyKeyInFlight = "IDEMPOTENCY_KEY_IN_FLIGHT",
    /// Too much is under way; try again later.
    Overloaded = "OVERLOADED",
    /// The name of a user is not 2–20 characters.
    InvalidUserName = "INVALID_USER_NAME",
    /// The text is no e-mail address.
    InvalidUserEmail = "INVALID_USER_EMAIL",
    /// The password is not 5–72 characters.
    InvalidUserPassword = "INVALID_USER_PASSWORD",
    /// Another user has this e-mail address.
    DuplicateEmail = "DUPLICATE_EMAIL",
    /// No user has this e-mail address and password.
    BadCredentials = "BAD_CREDENTIALS",
    /// The user does not exist.
    InactiveUser = "INACTIVE_USER",
    /// The amount to charge is outside its range, or the balance would be.
    InvalidUserPoint = "INVALID_USER_POINT",
    /// The balance is smaller than the amount to pay.
    InsufficientUserPoint = "INSUFFICIENT_USER_POINT",
    /// The product does not exist.
    InactiveProduct = "INACTIVE_PRODUCT",
    /// The product option does not exist.
    OptionNotFound = "OPTION_NOT_FOUND",
    /// Fewer units are left than asked for.
    OutOfStock = "OUT_OF_STOCK",
    /// The stock would leave its range.
    InvalidStock = "INVALID_STOCK",
    /// The lines of an order, or the quantity of a line, are outside their range.
    InvalidOrderQuantity = "INVALID_ORDER_QUANTITY",
    /// The order is not waiting for payment.
    CannotCancelOrder = "CANNOT_CANCEL_ORDER",
    /// The order is not waiting for payment.
    CannotPayOrder = "CANNOT_PAY_ORDER",
    /// The payment is not completed.
    CannotRefundPayment = "CANNOT_REFUND_PAYMENT",
    /// A percentage outside 1–100.
    InvalidPercentDiscount = "INVALID_PERCENT_DISCOUNT",
    /// A fixed discount that is not above 0.
    InvalidFixedDiscount = "INVALID_FIXED_DISCOUNT",
    /// The coupon belongs to another user.
    InvalidCouponOwnership = "INVALID_COUPON_OWNERSHIP",
    /// The coupon was used for another order.
    AlreadyUsedCoupon = "ALREADY_USED_COUPON",
    /// The user's coupon does not exist.
    NotFoundUserCoupon = "NOT_FOUND_USER_COUPON",
    /// The coupon does not exist or is not open yet.
    InactiveCoupon = "INACTIVE_COUPON",
    /// The coupon has expired.
    ExpiredCoupon = "EXPIRED_COUPON",
    /// The user has this coupon already.
    DuplicatedCoupon = "DUPLICATED_COUPON",
    /// No coupon is left.
    OutOfStockCoupon = "OUT_OF_STOCK_COUPON",
    /// One request per user and coupon in the request window.
    TooManyRequests = "TOO_MANY_REQUESTS",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

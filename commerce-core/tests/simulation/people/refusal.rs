use commerce_core::ErrorCode;
use commerce_core::coupon::{CouponError, GateRefusal};
use commerce_core::order::OrderError;
use commerce_core::payment::PaymentError;
use commerce_core::point::PointError;
use commerce_core::product::ProductError;
use commerce_core::stock::StockError;
use commerce_core::user::UserError;

/// A refusal with its stable code.
pub(crate) trait Refusal: Send + 'static {
    fn code(&self) -> ErrorCode;
}

macro_rules! refusals {
    ($($name:ident),+ $(,)?) => {$(
        impl Refusal for $name {
            fn code(&self) -> ErrorCode {
                $name::code(self)
            }
        }
    )+};
}

refusals!(CouponError, GateRefusal, OrderError, PaymentError, PointError, ProductError, StockError, UserError);

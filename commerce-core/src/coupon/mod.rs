//! Coupons: what is offered, who holds one, and its use by an order.

mod apply;
mod create;
mod offer;
mod repository;
mod user_coupon;

pub use apply::CouponSteps;
pub(crate) use apply::give_back;
pub use create::{CreateCoupon, CreateCoupons};
pub use offer::{Coupon, CouponError, CouponName, Discount, DiscountKind, NewCoupon};
pub use repository::CouponRepository;
pub use user_coupon::{Position, UserCoupon, UserCouponState, UserCouponStatus};

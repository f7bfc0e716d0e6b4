//! Coupons: what is offered, who holds one, and its use by an order.

mod create;
mod offer;
mod repository;
mod steps;
mod user_coupon;

pub use create::{CreateCoupon, CreateCoupons};
pub use offer::{Coupon, CouponError, CouponName, Discount, DiscountKind, NewCoupon};
pub use repository::CouponRepository;
pub use steps::CouponSteps;
pub use user_coupon::{Position, UserCoupon, UserCouponState, UserCouponStatus};

//! Coupons: what is offered, who holds one, first come, first served, and its use by an order.
//!
//! A request passes the [`gate`](CouponGate), which decides at once; is kept with the event that asks for the coupon ([`RequestCoupons`]); and is
//! decided for good by the [`CouponIssuer`].

mod admit;
mod ask_rebuild;
mod create;
mod gate;
mod issue;
mod issue_at_once;
mod keeper;
mod offer;
mod repository;
mod request;
mod settle;
mod steps;
mod user_coupon;

pub use admit::{AdmittedRequest, RequestCoupon, RequestCoupons};
pub use ask_rebuild::{AskGateRebuild, AskGateRebuilds};
pub use create::{CreateCoupon, CreateCoupons};
pub use gate::{
    CouponGate, GateCensus, GateError, GatePlace, GateRefusal, GateRequest, GateVerdict, InProcessGate, PendingPlace, PlaceState,
    Settlement,
};
pub use issue::CouponIssuer;
pub use issue_at_once::{CouponRation, IssueCoupon, IssueCoupons, IssueCouponsInPlace, IssueError};
pub use keeper::{GateKeeper, GateRebuild, KeeperError};
pub use offer::{Coupon, CouponError, CouponName, Discount, DiscountKind, NewCoupon};
pub use repository::CouponRepository;
pub use request::{CouponRequest, RequestOutcome};
pub use settle::GateSettler;
pub use steps::CouponSteps;
pub use user_coupon::{Position, UserCoupon, UserCouponState, UserCouponStatus};

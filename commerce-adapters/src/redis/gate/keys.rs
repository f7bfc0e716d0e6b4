use super::super::Redis;
use commerce_core::CouponId;

/// The keys of a coupon, in the order in which scripts are given them, all with one hash tag.
pub(super) type GateKeys = [String; 5];

pub(super) fn keys(redis: &Redis, coupon: CouponId) -> GateKeys {
    ["state", "places", "waiting", "kept", "returned"].map(|name| redis.key(format_args!("{{gate-{coupon}}}:{name}")))
}

/// The set of all coupons the gate was told of.
pub(super) fn index(redis: &Redis) -> String {
    redis.key("gates")
}

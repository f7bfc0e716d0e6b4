//! Coupon gate, ranking boards, locks, notifications and read cache in Redis, for a shop on more than one machine.

//! Coupons, requests and places by number.

use crate::coupon::{
    Coupon, CouponGate, CouponName, Discount, GateCensus, GatePlace, GateRefusal, GateRequest, GateVerdict, PlaceState, Position,
    Settlement,
};
use crate::{InvalidId, Timestamp};
use std::time::Duration;

/// Later than now on any machine: a gate may let its memory of what has expired expire.
pub(super) const NOW: Timestamp = Timestamp::from_millis(4_102_444_800_000);
pub(super) const WINDOW: Duration = Duration::from_mins(3);
/// How long a coupon can be asked for.
pub(super) const OFFERED_FOR: Duration = Duration::from_hours(24);

pub(super) fn id<Id: TryFrom<i64, Error = InvalidId>>(number: i64) -> Id {
    Id::try_from(number).unwrap()
}

pub(super) fn place(number: u32) -> Position {
    Position::new(number).unwrap()
}

/// An instant in seconds.
pub(super) fn at(second: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(second))
}

pub(super) fn coupon(number: i64, initial_stock: u32) -> Coupon {
    Coupon {
        id: id(number),
        name: CouponName::parse("Welcome").unwrap(),
        discount: Discount::Percent(10),
        initial_stock,
        issued: 0,
        opens_at: None,
        expires_at: NOW.plus(OFFERED_FOR),
        created_at: NOW,
    }
}

/// Opens a coupon with these places.
pub(super) async fn open_with(gate: &dyn CouponGate, coupon: &Coupon, fence: u64, places: &[GatePlace]) {
    gate.close(coupon.id, fence).await.unwrap();
    assert!(gate.load(coupon.id, fence, places).await.unwrap());
    assert!(gate.open(coupon, fence).await.unwrap());
}

/// Opens coupon 1 with so many places.
pub(super) async fn open(gate: &dyn CouponGate, initial_stock: u32) {
    open_with(gate, &coupon(1, initial_stock), 1, &[]).await;
}

/// The request `task` of a user for coupon 1.
pub(super) fn request(task: i64, user: i64, now: Timestamp) -> GateRequest {
    GateRequest { task_id: id(task), coupon_id: id(1), user_id: id(user), now, window: WINDOW }
}

pub(super) async fn admit(gate: &dyn CouponGate, request: GateRequest) -> GateVerdict {
    gate.admit(&request).await.unwrap()
}

/// Admits the users `1..=users` to coupon 1, each with the task of the same number, a second apart.
pub(super) async fn admit_users(gate: &dyn CouponGate, users: i64) {
    for user in 1..=users {
        let now = at(u64::try_from(user).unwrap());
        assert!(matches!(admit(gate, request(user, user, now)).await, GateVerdict::Admitted(_)));
    }
}

pub(super) fn admitted(number: u32) -> GateVerdict {
    GateVerdict::Admitted(place(number))
}

pub(super) const DUPLICATED: GateVerdict = GateVerdict::Refused(GateRefusal::Duplicated);
pub(super) const OUT_OF_STOCK: GateVerdict = GateVerdict::Refused(GateRefusal::OutOfStock);
pub(super) const INACTIVE: GateVerdict = GateVerdict::Refused(GateRefusal::Inactive);
pub(super) const EXPIRED: GateVerdict = GateVerdict::Refused(GateRefusal::Expired);

pub(super) fn too_many(retry_after: Duration) -> GateVerdict {
    GateVerdict::Refused(GateRefusal::TooManyRequests { retry_after })
}

/// The coupon 1 of the request `task` is in the user's hands.
pub(super) fn issued(task: i64, user: i64, number: u32) -> Settlement {
    Settlement { coupon_id: id(1), task_id: id(task), user_id: id(user), issued: Some(place(number)), at: at(60) }
}

/// The coupon 1 of the request `task` was not issued.
pub(super) fn failed(task: i64, user: i64) -> Settlement {
    Settlement { issued: None, ..issued(task, user, 1) }
}

pub(super) async fn settle(gate: &dyn CouponGate, settlements: &[Settlement]) {
    gate.settle(settlements).await.unwrap();
}

/// A place of the store, whose request has the number of the user.
pub(super) fn stored(user: i64, number: u32, state: PlaceState) -> GatePlace {
    GatePlace { task_id: id(user), user_id: id(user), position: place(number), at: NOW, state }
}

/// The places of coupon 1 that are given: issued and pending.
pub(super) async fn census(gate: &dyn CouponGate) -> (u64, u64) {
    let GateCensus { issued, pending } = gate.census(id(1)).await.unwrap().expect("the coupon is open");
    (issued, pending)
}

/// The tasks of all pending places, oldest first.
pub(super) async fn pending(gate: &dyn CouponGate) -> Vec<i64> {
    let places = gate.pending(NOW.plus(OFFERED_FOR * 2), 1_000).await.unwrap();
    places.into_iter().map(|place| place.task_id.get()).collect()
}

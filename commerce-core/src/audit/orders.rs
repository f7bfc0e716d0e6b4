//! Reads orders page by page with all that belongs to them, and has them checked one by one: A3, A4, A6, A7 and A8.

use super::scan::PAGE_ROWS;
use super::shelves::Units;
use super::{CheckId, Pass, Suspect, coupon_use, delivery, payments, reservations, totals};
use crate::coupon::{Coupon, UserCoupon};
use crate::order::Order;
use crate::payment::Payment;
use crate::point::PointEntry;
use crate::store::StoreError;
use crate::{OptionId, OrderId, UserCouponId};
use std::collections::{BTreeMap, HashMap};

/// An order and all that belongs to it.
pub(super) struct Case {
    pub(super) order: Order,
    /// The units it holds of each option, as the stock ledger has it.
    pub(super) held: BTreeMap<OptionId, u32>,
    pub(super) payments: Vec<Payment>,
    /// The ledger entries of points that name it.
    pub(super) entries: Vec<PointEntry>,
    /// The user coupon it names, if there is one.
    pub(super) coupon: Option<(UserCoupon, Coupon)>,
}

/// Checks all orders, and answers the units of each option that they hold together.
pub(super) async fn check(pass: &mut Pass<'_>) -> Result<Units, StoreError> {
    let (mut held, mut after) = (Units::new(), None);
    loop {
        pass.reading = CheckId::A7;
        let page = pass.snapshot.orders(after, PAGE_ROWS).await?;
        let Some(last) = page.last() else { return Ok(held) };
        after = Some(last.id);
        pass.counts.orders += u64::try_from(page.len()).unwrap_or(u64::MAX);
        for case in load(pass, page).await? {
            case.held.iter().for_each(|(option, units)| *held.entry(*option).or_default() += i64::from(*units));
            check_one(pass, &case);
        }
        pass.report("orders", pass.counts.orders);
    }
}

/// Checks the orders among the suspects.
pub(super) async fn check_again(pass: &mut Pass<'_>, suspects: &[Suspect]) -> Result<(), StoreError> {
    let ids = suspects.iter().filter_map(|suspect| if let Suspect::Order(id) = suspect { Some(*id) } else { None });
    let ids: Vec<OrderId> = ids.collect();
    for page in ids.chunks(PAGE_ROWS as usize) {
        pass.reading = CheckId::A7;
        let orders = pass.snapshot.orders_by_id(page).await?;
        for case in load(pass, orders).await? {
            check_one(pass, &case);
        }
    }
    Ok(())
}

fn check_one(pass: &mut Pass<'_>, case: &Case) {
    reservations::check(case, &mut pass.findings);
    payments::check(case, &mut pass.findings);
    coupon_use::check_order(case, &mut pass.findings);
    totals::check(case, &mut pass.findings);
    delivery::check_order(case, pass.now, pass.options.saga_deadline, &mut pass.findings);
}

async fn load(pass: &mut Pass<'_>, orders: Vec<Order>) -> Result<Vec<Case>, StoreError> {
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    pass.reading = CheckId::A3;
    let mut held = HashMap::<OrderId, BTreeMap<OptionId, u32>>::new();
    for reservation in pass.snapshot.reservations(&ids).await? {
        held.entry(reservation.order_id).or_default().insert(reservation.option_id, reservation.units);
    }
    pass.reading = CheckId::A4;
    let mut payments = HashMap::<OrderId, Vec<Payment>>::new();
    for payment in pass.snapshot.payments_of(&ids).await? {
        pass.counts.payments += 1;
        payments.entry(payment.order_id).or_default().push(payment);
    }
    let mut entries = HashMap::<OrderId, Vec<PointEntry>>::new();
    for entry in pass.snapshot.point_entries_of(&ids).await? {
        if let Some(order_id) = entry.change.order_id {
            entries.entry(order_id).or_default().push(entry);
        }
    }
    pass.reading = CheckId::A6;
    let named: Vec<UserCouponId> = orders.iter().filter_map(|order| order.user_coupon_id).collect();
    let coupons = pass.snapshot.user_coupons_by_id(&named).await?;
    let coupons: HashMap<UserCouponId, (UserCoupon, Coupon)> = coupons.into_iter().map(|pair| (pair.0.id, pair)).collect();
    let case = |order: Order| Case {
        held: held.remove(&order.id).unwrap_or_default(),
        payments: payments.remove(&order.id).unwrap_or_default(),
        entries: entries.remove(&order.id).unwrap_or_default(),
        coupon: order.user_coupon_id.and_then(|id| coupons.get(&id)).cloned(),
        order,
    };
    Ok(orders.into_iter().map(case).collect())
}

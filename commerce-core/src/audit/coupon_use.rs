//! A6: a user coupon is used exactly while an order holds it.

use super::orders::Case;
use super::scan::PAGE_ROWS;
use super::{CheckId, Findings, Pass, Suspect};
use crate::coupon::{UserCoupon, UserCouponState};
use crate::order::{Order, OrderStatus};
use crate::store::StoreError;
use crate::{OrderId, UserCouponId};
use std::collections::HashMap;

/// Checks that an order that holds a coupon is the one it is used for.
pub(super) fn check_order(case: &Case, findings: &mut Findings) {
    let order = &case.order;
    let Some(id) = order.user_coupon_id else { return };
    let mut report = |detail: String| findings.certain(CheckId::A6, format!("order {}", order.id), detail);
    let holds = matches!(order.status, OrderStatus::AwaitingPayment | OrderStatus::Completed);
    // An order that names no coupon there is was refused.
    let Some((held, _)) = &case.coupon else {
        if !matches!(order.status, OrderStatus::Pending | OrderStatus::Failed) {
            report(format!("it is {} with user coupon {id}, which does not exist", order.status));
        }
        return;
    };
    if holds && used_for(held) != Some(order.id) {
        report(format!("it is {} but user coupon {id} is not used for it", order.status));
    }
    if holds && held.user_id != order.user_id {
        report(format!("it is of user {} but user coupon {id} is of user {}", order.user_id, held.user_id));
    }
}

/// Checks that used coupons are held by the orders they name.
pub(super) async fn check_user_coupons(pass: &mut Pass<'_>, page: &[UserCoupon]) -> Result<(), StoreError> {
    let orders: Vec<OrderId> = page.iter().filter_map(used_for).collect();
    let orders = pass.snapshot.orders_by_id(&orders).await?;
    let orders: HashMap<OrderId, Order> = orders.into_iter().map(|order| (order.id, order)).collect();
    for held in page {
        let Some(order_id) = used_for(held) else { continue };
        let mut report = |detail: String| pass.findings.certain(CheckId::A6, format!("user coupon {}", held.id), detail);
        match orders.get(&order_id) {
            None => report(format!("it is used for order {order_id}, which does not exist")),
            Some(order) if order.user_coupon_id != Some(held.id) => {
                report(format!("it is used for order {order_id}, which does not name it"));
            }
            // The event that gives it back may be on its way.
            Some(order) if order.status.holds_nothing() => {
                let detail = format!("it is used for order {order_id}, which is {}", order.status);
                pass.findings.suspect(CheckId::A6, Suspect::UserCoupon(held.id), detail);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Checks the user coupons among the suspects.
pub(super) async fn check_again(pass: &mut Pass<'_>, suspects: &[Suspect]) -> Result<(), StoreError> {
    let ids = suspects.iter().filter_map(|suspect| if let Suspect::UserCoupon(id) = suspect { Some(*id) } else { None });
    let ids: Vec<UserCouponId> = ids.collect();
    for page in ids.chunks(PAGE_ROWS as usize) {
        let found = pass.snapshot.user_coupons_by_id(page).await?;
        let page: Vec<UserCoupon> = found.into_iter().map(|(held, _)| held).collect();
        check_user_coupons(pass, &page).await?;
    }
    Ok(())
}

fn used_for(held: &UserCoupon) -> Option<OrderId> {
    match held.state {
        UserCouponState::Issued => None,
        UserCouponState::Used { order_id, .. } => Some(order_id),
    }
}

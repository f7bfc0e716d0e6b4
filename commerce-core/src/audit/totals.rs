//! A7: what an order costs follows from its items and its coupon.

use super::orders::Case;
use super::{CheckId, Findings};
use crate::Money;
use crate::order::{OrderItem, OrderStatus};

pub(super) fn check(case: &Case, findings: &mut Findings) {
    let order = &case.order;
    let mut report = |detail: String| findings.certain(CheckId::A7, format!("order {}", order.id), detail);
    if matches!(order.status, OrderStatus::Pending | OrderStatus::Failed) {
        let prices = [order.original_price, order.discount, order.total];
        if !order.items.is_empty() || prices != [Money::ZERO; 3] {
            report(format!("it is {} but has {} items and costs {}", order.status, order.items.len(), order.total));
        }
        return;
    }
    if order.items.is_empty() {
        report(format!("it is {} but has no items", order.status));
    }
    let items = OrderItem::total(&order.items);
    if order.original_price != items {
        report(format!("the original price is {} but its items cost {items}", order.original_price));
    }
    let discount = match (order.user_coupon_id, &case.coupon) {
        (None, _) => Some(Money::ZERO),
        (Some(_), Some((_, coupon))) => Some(coupon.discount.of(order.original_price)),
        // The coupon is missed by A6.
        (Some(_), None) => None,
    };
    if let Some(discount) = discount.filter(|discount| *discount != order.discount) {
        report(format!("the discount is {} but its coupon takes off {discount}", order.discount));
    }
    if order.original_price.checked_sub(order.discount) != Some(order.total) {
        report(format!("the total is {} but it costs {} less {}", order.total, order.original_price, order.discount));
    }
}

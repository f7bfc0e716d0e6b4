//! A4: payments, order totals and the ledger of points agree. All of it is written in one unit of work, so none of it is ever in flight.

use super::orders::Case;
use super::{CheckId, Findings};
use crate::Money;
use crate::order::{Order, OrderStatus};
use crate::payment::{Payment, PaymentStatus};
use crate::point::PointKind;

pub(super) fn check(case: &Case, findings: &mut Findings) {
    let order = &case.order;
    let (completed, refunded) = match order.status {
        OrderStatus::Completed => (1, 0),
        OrderStatus::Refunded => (0, 1),
        _ => (0, 0),
    };
    let mut report = |detail: String| findings.certain(CheckId::A4, format!("order {}", order.id), detail);
    check_payments(case, PaymentStatus::Completed, completed, &mut report);
    check_payments(case, PaymentStatus::Refunded, refunded, &mut report);
    // An order that costs nothing leaves no entries.
    let entries = usize::from(order.total > Money::ZERO);
    check_entries(case, PointKind::Use, entries * (completed + refunded), &mut report);
    check_entries(case, PointKind::Refund, entries * refunded, &mut report);
}

fn check_payments(case: &Case, status: PaymentStatus, wanted: usize, report: &mut impl FnMut(String)) {
    let found: Vec<&Payment> = case.payments.iter().filter(|payment| payment.status == status).collect();
    if found.len() != wanted {
        report(format!("it is {} but has {} payments that are {status} instead of {wanted}", case.order.status, found.len()));
        return;
    }
    for payment in found {
        let Order { total, user_id, .. } = case.order;
        if payment.amount != total {
            report(format!("its total is {total} but payment {} is of {}", payment.id, payment.amount));
        }
        if payment.user_id != user_id {
            report(format!("it is of user {user_id} but payment {} is of user {}", payment.id, payment.user_id));
        }
    }
}

fn check_entries(case: &Case, kind: PointKind, wanted: usize, report: &mut impl FnMut(String)) {
    let found: Vec<_> = case.entries.iter().filter(|entry| entry.change.kind == kind).collect();
    if found.len() != wanted {
        report(format!("it is {} but has {} entries of kind {} instead of {wanted}", case.order.status, found.len(), kind.as_str()));
        return;
    }
    for entry in found {
        let Order { total, user_id, .. } = case.order;
        if entry.change.amount != total {
            report(format!("its total is {total} but its {} is of {}", kind.as_str(), entry.change.amount));
        }
        if entry.change.user_id != user_id {
            report(format!("it is of user {user_id} but its {} is of user {}", kind.as_str(), entry.change.user_id));
        }
    }
}

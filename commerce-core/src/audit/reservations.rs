//! A3: an order holds exactly the units it is to hold.

use super::orders::Case;
use super::{CheckId, Findings, Suspect};
use crate::OptionId;
use crate::order::OrderStatus;
use std::collections::BTreeMap;

pub(super) fn check(case: &Case, findings: &mut Findings) {
    let order = &case.order;
    let held: BTreeMap<OptionId, u32> =
        case.held.iter().filter(|(_, units)| **units > 0).map(|(option, units)| (*option, *units)).collect();
    match order.status {
        // Its stock step may be done or not.
        OrderStatus::Pending => {}
        OrderStatus::AwaitingPayment | OrderStatus::Completed => {
            let items: BTreeMap<OptionId, u32> = order.items.iter().map(|item| (item.option_id, item.quantity.units())).collect();
            if held != items {
                let detail = format!("it is {} with {} but holds {}", order.status, units(&items), units(&held));
                findings.certain(CheckId::A3, format!("order {}", order.id), detail);
            }
        }
        // The event that releases its stock may be on its way.
        OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Refunded => {
            if !held.is_empty() {
                findings.suspect(CheckId::A3, Suspect::Order(order.id), format!("it is {} but holds {}", order.status, units(&held)));
            }
        }
    }
}

fn units(of_options: &BTreeMap<OptionId, u32>) -> String {
    if of_options.is_empty() {
        return "nothing".to_owned();
    }
    let each: Vec<String> = of_options.iter().map(|(option, units)| format!("{units} of option {option}")).collect();
    each.join(", ")
}

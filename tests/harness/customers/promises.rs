use super::client::Answer;
use super::journal::Outcome;
use super::wish::{Request, Wish};
use serde_json::Value;
use std::collections::BTreeMap;

/// The last that was told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderState {
    Placed,
    Paid { payment: i64 },
    Refunded { payment: i64 },
    Cancelled,
}

/// An order that somebody was told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) state: OrderState,
    pub(super) with_coupon: bool,
}

/// What became of a request for a coupon, as it was told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task {
    Admitted,
    Decided { status: String },
    Known(Value),
}

impl Task {
    /// Whether it may be so now, after it was told like this.
    pub(super) fn agrees(&self, now: &Value) -> bool {
        match self {
            Self::Admitted => true,
            Self::Decided { status } => now["status"] == status.as_str(),
            Self::Known(value) => value == now,
        }
    }
}

/// Everything a customer was told. The shop has to keep it.
#[derive(Default)]
pub(super) struct Promises {
    pub(super) charges: Vec<i64>,
    /// Charges of which it was said that nothing was changed.
    pub(super) declined_charges: Vec<i64>,
    pub(super) orders: BTreeMap<i64, Order>,
    pub(super) tasks: BTreeMap<i64, Task>,
}

/// What became of a request; an answer that nobody should be given fails the test.
pub(super) fn outcome_of(wish: &Wish, answer: &Answer) -> Outcome {
    if answer.status() < 300 {
        return Outcome::Done;
    }
    match (answer.status(), answer.code().as_str()) {
        (503, "OVERLOADED") | (409, "LOCK_ACQUIRE_FAILED" | "IDEMPOTENCY_KEY_IN_FLIGHT") => Outcome::Unavailable,
        // The only failure that may be told as one of the shop's own: anything else is a defect.
        (500, "INTERNAL_SERVER_ERROR") if answer.text().contains("Whether the change was made is not known") => Outcome::Ambiguous,
        (400..500, code) if wish.refusals().contains(&code) => Outcome::Refused,
        _ => panic!("nobody should be told this: {answer}"),
    }
}

impl Promises {
    /// Remembers what a served request was told.
    pub(super) fn remember(&mut self, wish: &Wish, answer: &Answer) {
        if answer.status() >= 300 {
            return;
        }
        let told = answer.ok();
        let id = told["id"].as_i64();
        let mut becomes = |order: i64, state: OrderState| self.orders.get_mut(&order).expect("an order that was placed").state = state;
        match *wish {
            Wish::Charge(points) => self.charges.push(points),
            Wish::Order { coupon, .. } => {
                let order = Order { state: OrderState::Placed, with_coupon: coupon.is_some() };
                self.orders.entry(id.expect("an id")).or_insert(order);
            }
            Wish::Pay { order } => becomes(order, OrderState::Paid { payment: id.expect("an id") }),
            Wish::Cancel { order } => becomes(order, OrderState::Cancelled),
            Wish::Refund { order, payment } => becomes(order, OrderState::Refunded { payment }),
            Wish::Coupon(_) => {
                let status = told["status"].as_str().filter(|status| *status != "PENDING").map(str::to_owned);
                let task = status.map_or(Task::Admitted, |status| Task::Decided { status });
                self.tasks.entry(told["taskId"].as_i64().expect("an id")).or_insert(task);
            }
        }
    }

    /// Remembers that a request was turned away, and is not made again.
    pub(super) fn turned_away(&mut self, request: &Request) {
        if let Wish::Charge(points) = request.wish {
            self.declined_charges.push(points);
        }
    }

    /// Remembers what became of a request for a coupon.
    pub(super) fn learn(&mut self, task: i64, now: &Value) {
        let told = self.tasks.get(&task).expect("a request that was taken");
        assert!(told.agrees(now), "task {task} was {told:?} and is {now}");
        if now["status"] != "PENDING" {
            self.tasks.insert(task, Task::Known(now.clone()));
        }
    }

    /// The last request for a coupon of which it is not known what became of it.
    pub(super) fn undecided(&self) -> Option<i64> {
        self.tasks.iter().rev().find(|(_, known)| !matches!(known, Task::Known(_))).map(|(task, _)| *task)
    }
}

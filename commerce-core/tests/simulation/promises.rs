//! What people were told is still true at the end.

use crate::told::{Fate, TaskTold, Told};
use crate::world::World;
use commerce_core::notify::TaskStatus;
use commerce_core::order::{Order, OrderStatus};
use commerce_core::payment::PaymentStatus;
use commerce_core::point::PointKind;
use commerce_core::store::Store;
use commerce_core::user::Email;
use commerce_core::{OrderId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

const ROWS: u32 = 100_000;

impl World {
    pub(crate) async fn check_promises(&self) {
        let told = self.told.take();
        self.check_charges(&told).await;
        self.check_told_orders(&told).await;
        self.check_payments(&told).await;
        for (task, request) in &told.tasks {
            self.check_task(*task, request).await;
        }
        self.check_administration(&told).await;
    }

    /// A charge that was acknowledged is in the ledger once; one that was refused is not.
    async fn check_charges(&self, told: &Told) {
        let mut snapshot = self.memory.snapshot().await.expect("the store is there");
        let entries = snapshot.point_entries(None, ROWS).await.expect("the store is there");
        for charge in &told.charges {
            let of_charge = |it: &&commerce_core::point::PointEntry| {
                it.change.kind == PointKind::Charge && it.change.amount.krw() == charge.amount && it.change.user_id == charge.user
            };
            let times = entries.iter().filter(of_charge).count();
            self.must(fits(charge.fate, times), || format!("{charge:?} is in the ledger {times} times"));
        }
    }

    /// An order that was acknowledged exists once, and is not behind of what was said about it.
    async fn check_told_orders(&self, told: &Told) {
        let ids: Vec<_> = told.orders.iter().flat_map(|order| order.ids.iter().copied()).collect();
        let orders = self.memory.queries().orders(&ids).await.expect("the store is there");
        let orders: BTreeMap<OrderId, Order> = orders.into_iter().map(|view| (view.order.id, view.order)).collect();
        for asked in &told.orders {
            let made: Vec<_> = asked.ids.iter().filter(|id| orders.contains_key(id)).copied().collect();
            let fits = match asked.fate {
                Fate::Done(id) => made == [id],
                Fate::NotDone => made.is_empty(),
                Fate::Unknown => made.len() <= 1,
            };
            self.must(fits, || format!("{asked:?}: there are {made:?}"));
        }
        for (id, said) in &told.stands {
            let Some(order) = orders.get(id) else { continue };
            for status in said.iter().filter_map(|text| OrderStatus::parse(text)) {
                let still_true = order.status == status || may_lead_to(status, order.status);
                self.must(still_true, || format!("order {id} was said to be {status}, but is {}", order.status));
            }
        }
    }

    async fn check_payments(&self, told: &Told) {
        for (id, order) in &told.paid {
            let payment = self.memory.queries().payment(*id).await.expect("the store is there");
            let status = payment.as_ref().map(|payment| payment.status);
            let as_told = match status {
                Some(PaymentStatus::Completed) => !told.refunded.contains(id),
                Some(PaymentStatus::Refunded) => told.refund_asked.contains(id),
                Some(PaymentStatus::Failed) | None => false,
            };
            self.must(as_told, || format!("payment {id} of order {order} was said to be made, but is {status:?}"));
            if let Some(status) = status {
                self.count("payment", status.as_str());
            }
        }
    }

    /// A coupon that was granted is held in the place that was told; one that was refused is not; and every request is decided.
    async fn check_task(&self, task: TaskId, told: &TaskTold) {
        let queries = self.memory.queries();
        let held = queries.user_coupon_of_task(task).await.expect("the store is there");
        let decided = queries.coupon_requests(&[task]).await.expect("the store is there").pop();
        self.must(decided.as_ref().is_none_or(|request| !request.is_pending()), || format!("task {task} is not decided"));
        // A decided request is deleted after two days; what was issued is not.
        self.count("task", if held.is_some() { "issued" } else { "not issued" });
        let Some(update) = &told.outcome else { return };
        let as_told = match update.status {
            TaskStatus::Success => held
                .as_ref()
                .is_some_and(|held| (held.user_id, held.coupon_id, Some(held.position)) == (told.user, told.coupon, update.position)),
            TaskStatus::Fail => held.is_none(),
            TaskStatus::Pending => true,
        };
        self.must(as_told, || format!("{update:?} was told, but what is held is {held:?}"));
        self.count("task told", update.status.as_str());
    }

    async fn check_administration(&self, told: &Told) {
        let mut snapshot = self.memory.snapshot().await.expect("the store is there");
        let entries = snapshot.stock_entries(None, ROWS).await.expect("the store is there");
        for (reason, fate) in &told.adjusted {
            let times = entries.iter().filter(|entry| entry.change.reason.as_ref() == Some(reason)).count();
            self.must(fits(*fate, times), || format!("{reason} was {fate:?}, but is in the ledger {times} times"));
        }
        let coupons: BTreeSet<_> = self.coupons().await.into_iter().map(|coupon| coupon.id).collect();
        self.must(told.made_coupons.is_subset(&coupons), || format!("{:?} were made, there are {coupons:?}", told.made_coupons));
        for address in &told.registered {
            let user = self.memory.queries().user_by_email(&Email::parse(address).expect("an address")).await.expect("the store is there");
            self.must(user.is_some(), || format!("{address} was registered, but is not there"));
        }
    }
}

/// Whether something that took place so many times is what somebody was told.
fn fits(fate: Fate<()>, times: usize) -> bool {
    match fate {
        Fate::Done(()) => times == 1,
        Fate::NotDone => times == 0,
        Fate::Unknown => times <= 1,
    }
}

fn may_lead_to(from: OrderStatus, to: OrderStatus) -> bool {
    OrderStatus::ALL.into_iter().filter(|next| from.may_become(*next)).any(|next| next == to || may_lead_to(next, to))
}

//! Waiting until nothing more happens once the faults have healed.

use crate::world::World;
use commerce_core::coupon::CouponGate;
use commerce_core::messaging::{Group, MessageBus, Topic};
use commerce_core::ranking::RankingBoard;
use commerce_core::store::Store;
use commerce_core::{BusinessDay, Clock, OrderId, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(1_009);
/// Far longer than the longest lease and the longest pause of the sweeper.
const LOOKS_MAX: usize = 200;

impl World {
    /// Waits until the shop has nothing left to do.
    pub(crate) async fn come_to_rest(&self) {
        let mut under_way = Vec::new();
        for _ in 0..LOOKS_MAX {
            tokio::time::sleep(LOOK_EVERY).await;
            under_way = self.under_way().await;
            if under_way.is_empty() {
                return self.note("everyone", "all is quiet");
            }
        }
        self.broken(&format!("the shop does not come to rest: {}", under_way.join(", ")));
    }

    /// What is left to do.
    async fn under_way(&self) -> Vec<String> {
        let (queries, now) = (self.memory.queries(), self.clock.now());
        let mut left = Vec::new();
        let mut note = |what: &str, count: usize| {
            if count > 0 {
                left.push(format!("{what}: {count}"));
            }
        };
        note("processes down", self.processes.borrow().iter().filter(|process| process.is_none()).count());
        let unsent = self.memory.snapshot().await.expect("the store is there").undelivered(100).await.expect("the store is there");
        note("events not sent", unsent.len());
        for group in [Group::Stock, Group::Coupon, Group::Order, Group::CouponIssuer, Group::CouponGate, Group::Ranking] {
            let lag = self.bus.lag(group, topics(group)).await.expect("the bus is there");
            note(group.name(), usize::try_from(lag).unwrap_or(usize::MAX));
        }
        note("requests not decided", queries.pending_requests(None, 100).await.expect("the store is there").len());
        note("places not settled", self.gate.pending(Timestamp::MAX, 100).await.expect("the gate is there").len());
        note("orders overdue", queries.overdue_orders(now, 100).await.expect("the store is there").len());
        for coupon in self.coupons().await.iter().filter(|coupon| !coupon.expired(now)) {
            note("gate closed", usize::from(self.gate.census(coupon.id).await.expect("the gate is there").is_none()));
        }
        let whole: BTreeSet<BusinessDay> =
            self.board.days().await.expect("the board is there").into_iter().filter(|day| day.whole).map(|day| day.day).collect();
        let today = self.settings.calendar.day_of(now);
        // A keeper that was at work when the boards were wiped has left days that mean nothing: boards without a calendar are begun anew.
        let calendar = self.board.calendar().await.expect("the board is there");
        note("boards not begun", usize::from(calendar != Some(self.settings.calendar)));
        note("days not counted", today.since(today.before(3)).filter(|day| !whole.contains(day)).count());
        note("ranking not made", usize::from(self.board.top(today, 1).await.expect("the board is there").is_none()));
        left
    }

    /// Every order that anybody was told of or may have made.
    pub(crate) fn order_ids(&self) -> Vec<OrderId> {
        self.told.borrow().orders.iter().flat_map(|order| order.ids.iter().copied()).collect()
    }
}

fn topics(group: Group) -> &'static [Topic] {
    match group {
        Group::CouponIssuer => &[Topic::CouponIssue],
        Group::CouponGate => &[Topic::CouponIssueResult],
        _ => &[Topic::Order],
    }
}

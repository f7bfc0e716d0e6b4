//! The books at the end of a run: the invariants, the coupons, the gates, the ranking.

use crate::world::World;
use commerce_core::audit::AuditOptions;
use commerce_core::coupon::{Coupon, CouponGate, UserCoupon};
use commerce_core::messaging::{SoldUnits, Topic};
use commerce_core::order::OrderStatus;
use commerce_core::ranking::{RankingBoard, RankingError, Sale, SaleState, WINDOW_DAYS};
use commerce_core::store::{PageLimit, Store};
use commerce_core::{BusinessDay, Clock, CouponId, ProductId, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const ROWS: u32 = 1_000;
/// Longer than a ranking is shown before it is read again.
const FRESH_FOR: Duration = Duration::from_secs(11);
/// How often buyers ask again while the ranking is being made: they wait ten seconds each time, and a lease ends after thirty.
const LOOKS_MAX: usize = 4;
/// How long they pause before, as they are told.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

impl World {
    /// Looks at everything.
    pub(crate) async fn close(&self) {
        self.audit().await;
        self.check_orders().await;
        self.check_coupons().await;
        self.check_boards().await;
        self.check_promises().await;
        self.check_best_sellers().await;
        let letters = self.memory.queries().dead_letters(None, PageLimit::default()).await.expect("the store is there");
        for letter in letters {
            self.broken(&format!("a dead letter of {}: {}", letter.letter.group.name(), letter.letter.reason));
        }
    }

    async fn audit(&self) {
        let Some(process) = self.process(0) else { return self.broken("no process runs at the end") };
        let options = AuditOptions { saga_deadline: Duration::ZERO, ..AuditOptions::default() };
        let report = process.commerce.audit(options, &mut |_| {}).await.expect("the store is there");
        report.violations.iter().for_each(|violation| self.broken(&violation.to_string()));
    }

    /// No order is left in between.
    async fn check_orders(&self) {
        let orders = self.memory.queries().orders(&self.order_ids()).await.expect("the store is there");
        for order in orders.into_iter().map(|view| view.order) {
            self.count("order", order.status.as_str());
            if let Some(code) = order.failure {
                self.count("order failed", code.as_str());
            }
            let overdue = order.overdue(self.clock.now());
            let at_rest = order.status != OrderStatus::Pending && !overdue;
            self.must(at_rest, || format!("order {} still is {}", order.id, order.status));
        }
    }

    pub(crate) async fn coupons(&self) -> Vec<Coupon> {
        self.memory.queries().coupons(None, PageLimit::new(100).expect("a limit")).await.expect("the store is there").items
    }

    async fn check_coupons(&self) {
        let failed = self.coupons_with_failed_requests();
        for coupon in self.coupons().await {
            let held = self.memory.queries().issued_of(coupon.id, None, ROWS).await.expect("the store is there");
            self.check_held(&coupon, &held, !failed.contains(&coupon.id));
            let census = self.gate.census(coupon.id).await.expect("the gate is there");
            self.must(census.is_some() || coupon.expired(self.clock.now()), || format!("the gate of coupon {} is closed", coupon.id));
            if let Some(census) = census {
                let agrees = (census.issued, census.pending) == (u64::from(coupon.issued), 0);
                self.must(agrees, || format!("coupon {}: {} are issued, the gate says {census:?}", coupon.id, coupon.issued));
            }
        }
    }

    fn check_held(&self, coupon: &Coupon, held: &[UserCoupon], none_failed: bool) {
        let id = coupon.id;
        let users: BTreeSet<_> = held.iter().map(|held| held.user_id).collect();
        let positions: BTreeSet<_> = held.iter().map(|held| held.position.get()).collect();
        self.must(held.len() <= coupon.initial_stock as usize, || format!("coupon {id} is over-issued: {}", held.len()));
        self.must(users.len() == held.len(), || format!("coupon {id}: a user has it twice"));
        self.must(positions.len() == held.len(), || format!("coupon {id}: a place was given twice"));
        if none_failed && !self.gate_wiped.get() {
            self.count("coupon", "places without a gap");
            self.must(positions.iter().copied().eq(1..=coupon.issued), || format!("coupon {id} has places {positions:?}"));
        }
    }

    fn coupons_with_failed_requests(&self) -> BTreeSet<CouponId> {
        let results = self.bus.messages(Topic::CouponIssueResult).into_iter();
        results
            .filter(|message| message.event_type == "CouponIssueFailed")
            .filter_map(|message| CouponId::new(message.aggregate_id).ok())
            .collect()
    }

    /// Boards and ranking are what follows from the payments.
    async fn check_boards(&self) {
        let days = self.sold_by_day().await;
        let today = self.settings.calendar.day_of(self.clock.now());
        for day in today.since(today.before(WINDOW_DAYS)) {
            let board = self.board.sold(day, None, 100).await.expect("the board is there");
            let board: BTreeMap<_, _> = board.into_iter().map(|sold| (sold.product_id, sold.units)).collect();
            let model = days.get(&day).cloned().unwrap_or_default();
            self.must(board == model, || format!("{day}: the board says {board:?}, the payments {model:?}"));
            self.count("ranking", if model.is_empty() { "day without sales" } else { "day with sales" });
        }
        let model = ranking(&days, today);
        let ranking = self.board.top(today, 100).await.expect("the board is there").unwrap_or_default();
        self.must(ranking == model, || format!("the ranking is {ranking:?}, the payments say {model:?}"));
        self.count("ranking", if model.is_empty() { "is empty" } else { "has products" });
    }

    /// What buyers see once they look again: what was read a moment ago may be shown for a while, and a lock that somebody took with it when it
    /// crashed ends with its lease.
    async fn check_best_sellers(&self) {
        let Some(process) = self.process(0) else { return };
        tokio::time::sleep(FRESH_FOR).await;
        let mut best = process.commerce.best_sellers(PageLimit::default()).await;
        for _ in 0..LOOKS_MAX {
            if !matches!(best, Err(RankingError::InTheMaking | RankingError::OutOfReach)) {
                break;
            }
            tokio::time::sleep(LOOK_PAUSE).await;
            best = process.commerce.best_sellers(PageLimit::default()).await;
        }
        let model = ranking(&self.sold_by_day().await, self.settings.calendar.day_of(self.clock.now()));
        match best {
            Ok(best) => {
                let best: Vec<_> = best.iter().map(|it| SoldUnits { product_id: it.product.id, units: it.sold }).collect();
                self.must(best == model, || format!("buyers see {best:?}, the payments say {model:?}"));
            }
            Err(error) => self.broken(&format!("there is no ranking: {error}")),
        }
    }

    async fn sold_by_day(&self) -> SoldByDay {
        let sales = self.memory.queries().sales(Timestamp::from_millis(0), Timestamp::MAX, None, ROWS).await.expect("the store is there");
        let mut days = SoldByDay::new();
        for Sale { paid_at, units, .. } in sales.into_iter().filter(|sale| sale.state == SaleState::Paid) {
            let day = days.entry(self.settings.calendar.day_of(paid_at)).or_default();
            for sold in units {
                *day.entry(sold.product_id).or_default() += sold.units;
            }
        }
        days
    }
}

/// What was sold, by day and product.
type SoldByDay = BTreeMap<BusinessDay, BTreeMap<ProductId, u64>>;

/// What the ranking of a day must be.
fn ranking(days: &SoldByDay, today: BusinessDay) -> Vec<SoldUnits> {
    let mut window = BTreeMap::<ProductId, u64>::new();
    for (_, day) in days.range(today.before(WINDOW_DAYS)..today) {
        for (product, units) in day {
            *window.entry(*product).or_default() += units;
        }
    }
    let mut ranking: Vec<_> = window.into_iter().map(|(product_id, units)| SoldUnits { product_id, units }).collect();
    ranking.sort_by_key(|sold| (Reverse(sold.units), sold.product_id));
    ranking
}

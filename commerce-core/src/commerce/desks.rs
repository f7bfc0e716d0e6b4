use super::{Parts, Settings};
use crate::coupon::{AskGateRebuilds, CreateCoupons, RequestCoupons};
use crate::idempotency::{Keyed, KeyedCommand, ReplaceAnswers};
use crate::lock::Fenced;
use crate::messaging::ReplayDeadLetters;
use crate::order::{CancelOrders, ExpireOrders, PlaceOrders};
use crate::payment::{Pay, Refund};
use crate::point::Charge;
use crate::product::CreateProducts;
use crate::stock::StockAdjustment;
use crate::store::{Desk, GroupCommit, Handler};
use crate::user::{Register, Rename};
use std::sync::Arc;

/// Where commands are handed in. Commands at one desk that may come with an idempotency key are [`KeyedCommand`]s.
pub struct Desks {
    /// Registers users.
    pub register: Arc<Desk<Keyed<Register>>>,
    /// Renames users.
    pub rename: Arc<Desk<Keyed<Rename>>>,
    /// Charges points.
    pub charge: Arc<Desk<Keyed<Charge>>>,
    /// Puts products on sale.
    pub create_product: Arc<Desk<Keyed<CreateProducts>>>,
    /// Adjusts stock.
    pub adjust_stock: Arc<Desk<Keyed<StockAdjustment>>>,
    /// Offers coupons.
    pub create_coupon: Arc<Desk<Keyed<CreateCoupons>>>,
    /// Keeps requests for coupons that the gate has admitted.
    pub request_coupon: Arc<Desk<Keyed<RequestCoupons>>>,
    /// Places orders.
    pub place_order: Arc<Desk<Keyed<PlaceOrders>>>,
    /// Cancels orders.
    pub cancel_order: Arc<Desk<Keyed<CancelOrders>>>,
    /// Pays orders.
    pub pay: Arc<Desk<Keyed<Pay>>>,
    /// Refunds payments.
    pub refund: Arc<Desk<Keyed<Refund>>>,
    pub(super) expire_orders: Arc<Desk<Fenced<ExpireOrders>>>,
    pub(super) replay_dead_letter: Arc<Desk<ReplayDeadLetters>>,
    pub(super) ask_gate_rebuild: Arc<Desk<AskGateRebuilds>>,
    pub(super) replace_answer: Arc<Desk<ReplaceAnswers>>,
}

impl Desks {
    pub(super) fn open(group_commit: &GroupCommit, parts: &Parts, settings: &Settings) -> Self {
        let clock = || Arc::clone(&parts.clock);
        let payment_deadline = settings.payment_deadline;
        // In the order in which rows are locked: orders, points, stock, requests for coupons, coupons. What is placed takes its stock last of all,
        // in the steps that follow.
        Self {
            cancel_order: keyed(group_commit, parts, CancelOrders { clock: clock() }),
            refund: keyed(group_commit, parts, Refund { clock: clock() }),
            expire_orders: group_commit.desk(Fenced(ExpireOrders { clock: clock() })),
            pay: keyed(group_commit, parts, Pay { clock: clock() }),
            charge: keyed(group_commit, parts, Charge { clock: clock() }),
            register: keyed(group_commit, parts, Register { clock: clock() }),
            rename: keyed(group_commit, parts, Rename { clock: clock() }),
            create_product: keyed(group_commit, parts, CreateProducts { clock: clock() }),
            create_coupon: keyed(group_commit, parts, CreateCoupons { clock: clock() }),
            replay_dead_letter: group_commit.desk(ReplayDeadLetters),
            ask_gate_rebuild: group_commit.desk(AskGateRebuilds),
            replace_answer: group_commit.desk(ReplaceAnswers),
            place_order: keyed(group_commit, parts, PlaceOrders { clock: clock(), payment_deadline }),
            adjust_stock: keyed(group_commit, parts, StockAdjustment { clock: clock() }),
            request_coupon: keyed(group_commit, parts, RequestCoupons { clock: clock() }),
        }
    }
}

fn keyed<H: Handler>(group_commit: &GroupCommit, parts: &Parts, handler: H) -> Arc<Desk<Keyed<H>>> {
    group_commit.desk(Keyed::new(handler, Arc::clone(&parts.clock)))
}

impl<H: Handler> KeyedCommand<H> {
    /// A command without a key.
    pub fn without_key(command: H::Command) -> Self {
        Self { command, claim: None }
    }
}

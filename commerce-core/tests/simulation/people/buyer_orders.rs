use super::buyer::Buyer;
use super::client::{Client, Outcome};
use super::keyed::Change;
use crate::told::{Fate, OrderTold};
use commerce_core::order::{
    CancelOrder, CancelOrders, Order, OrderError, OrderLine, OrderLines, OrderStatus, PlaceOrder, PlaceOrders, Quantity,
};
use commerce_core::payment::{Pay, PayOrder, Payment, PaymentError, PaymentStatus, Refund, RefundPayment};
use commerce_core::user::Actor;
use commerce_core::{Commerce, ErrorCode, OptionId, OrderId, PaymentId, Sequence, UserCouponId};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

const UPDATES_MAX: usize = 4;

impl Buyer {
    /// Places an order, and waits a while for what becomes of it.
    pub(super) async fn order(&self) {
        let (client, dice, world) = (&self.client, &self.client.dice, &self.client.world);
        if dice.chance(4) {
            let refused = Quantity::new(dice.between(10_001, 20_000)).map_err(|refusal| refusal.code());
            return client.note("order far too many", &refused.map_or_else(Outcome::Refused, |_| Outcome::Done(0)));
        }
        let (lines, coupon) = (self.lines(), self.coupon().await);
        let user = if dice.chance(3) { Client::nobody() } else { self.user };
        let ids = Rc::new(RefCell::new(Vec::new()));
        let command = {
            let (ids, lines) = (Rc::clone(&ids), lines.clone());
            move |commerce: Commerce, _| {
                let (ids, lines) = (Rc::clone(&ids), lines.clone());
                Box::pin(async move {
                    let id = commerce.next_id::<OrderId>(Sequence::Order).await?;
                    ids.borrow_mut().push(id);
                    Ok(PlaceOrder { id, user_id: user, user_coupon_id: coupon, lines, trace_parent: None })
                }) as _
            }
        };
        let what = lines.as_slice().iter().map(|line| format!("{}×{}", i64::from(line.quantity), line.option_id)).collect::<Vec<_>>();
        let with = coupon.map(|coupon| format!(" with coupon {coupon}")).unwrap_or_default();
        let change = Change::<PlaceOrders, Order> {
            what: format!("user {user} orders {}{with}", what.join(" and ")),
            owner: Some(user),
            desk: |desks| &desks.place_order,
            number: |order| order.id.get(),
            command: &command,
        };
        let outcome = if dice.chance(50) {
            client.submit::<PlaceOrders, Order, OrderError>(&change).await
        } else {
            client.submit_with_key::<PlaceOrders, Order, OrderError>(&change).await
        };
        let outcome = outcome.map(|id| OrderId::new(id).expect("an order has an id"));
        world.told.borrow_mut().orders.push(OrderTold { ids: ids.take(), fate: outcome.fate() });
        if let Fate::Done(id) = outcome.fate() {
            self.orders.borrow_mut().push(id);
            self.public.orders.borrow_mut().push(id);
            if dice.chance(50) {
                self.wait_for(id).await;
            } else {
                self.watch(id).await;
            }
            if dice.chance(60) {
                self.wait_for(id).await;
                self.pay().await;
            }
        }
    }

    fn lines(&self) -> OrderLines {
        let dice = &self.client.dice;
        let options = self.client.world.catalog.borrow().options.clone();
        let line = || {
            let unknown = OptionId::new(777_777).expect("it is an id");
            let option_id = if dice.chance(4) { unknown } else { dice.pick(&options).unwrap_or(unknown) };
            let units = if dice.chance(5) { dice.between(40, 60) } else { dice.between(1, 2) };
            OrderLine { option_id, quantity: Quantity::new(units).expect("it is in the range") }
        };
        let lines: Vec<_> = (0..=dice.below(2)).map(|_| line()).collect();
        OrderLines::merge(&lines).expect("there are few lines")
    }

    /// A coupon to order with: one of this user's, or somebody's, or none at all.
    async fn coupon(&self) -> Option<UserCouponId> {
        let dice = &self.client.dice;
        if dice.chance(40) {
            return None;
        }
        if dice.chance(6) {
            return UserCouponId::new(888_888).ok();
        }
        if dice.chance(15) {
            return dice.pick(&self.public.held.borrow());
        }
        let held = self.client.ask(async |commerce| commerce.queries().user_coupons(self.user).await).await?.ok()?;
        let held: Vec<_> = held.into_iter().map(|(held, _)| held.id).collect();
        self.public.held.borrow_mut().extend(&held);
        dice.pick(&held)
    }

    async fn wait_for(&self, id: OrderId) {
        let waited = self.client.ask(async |commerce| commerce.order_once_settled(id, Duration::from_secs(3)).await).await;
        match waited {
            Some(Ok(Some(view))) => self.is_told(id, view.order.status, view.order.failure),
            Some(Ok(None)) => self.client.world.broken(&format!("order {id} was placed, but does not exist")),
            Some(Err(_)) | None => {}
        }
    }

    async fn watch(&self, id: OrderId) {
        let seen = async |commerce: Commerce| {
            let mut watch = commerce.watch_order(id).await;
            let mut last = None;
            for _ in 0..UPDATES_MAX {
                let Ok(Ok(Some(update))) = tokio::time::timeout(Duration::from_secs(2), watch.next()).await else { return };
                self.client.world.must(last != Some(update.status), || format!("order {id}: {} came twice", update.status));
                last = Some(update.status);
                self.is_told(id, update.status, update.failure_code);
            }
        };
        let _gone = self.client.ask(seen).await;
    }

    fn is_told(&self, id: OrderId, status: OrderStatus, failure: Option<ErrorCode>) {
        let world = &self.client.world;
        world.told.borrow_mut().order_stands(id, status);
        if let Some(code) = failure {
            world.count("refusal", code.as_str());
        }
        let why = failure.map(|code| format!(", {code}")).unwrap_or_default();
        world.note(&self.client.name, &format!("is told that order {id} is {status}{why}"));
    }

    /// An order of this buyer, or of somebody else.
    fn some_order(&self) -> Option<OrderId> {
        let dice = &self.client.dice;
        let own = self.orders.borrow().last().copied().filter(|_| dice.chance(70));
        own.or_else(|| dice.pick(&self.orders.borrow()).filter(|_| dice.chance(80))).or_else(|| dice.pick(&self.public.orders.borrow()))
    }

    pub(super) async fn pay(&self) {
        let Some(order_id) = self.some_order() else { return };
        if self.client.dice.chance(15) {
            futures_util::join!(self.pay_once(order_id), self.pay_once(order_id));
        } else {
            self.pay_once(order_id).await;
        }
    }

    async fn pay_once(&self, order_id: OrderId) {
        let user_id = self.user;
        let command = move |commerce: Commerce, _| {
            Box::pin(async move {
                let payment_id = commerce.next_id(Sequence::Payment).await?;
                Ok(PayOrder { payment_id, order_id, user_id, trace_parent: None })
            }) as _
        };
        let change = Change::<Pay, Payment> {
            what: format!("user {user_id} pays order {order_id}"),
            owner: Some(user_id),
            desk: |desks| &desks.pay,
            number: |payment| payment.id.get(),
            command: &command,
        };
        let outcome = if self.client.dice.chance(50) {
            self.client.submit::<Pay, Payment, PaymentError>(&change).await
        } else {
            self.client.submit_with_key::<Pay, Payment, PaymentError>(&change).await
        };
        if let Some(id) = outcome.done().and_then(|id| PaymentId::new(id).ok()) {
            self.payments.borrow_mut().push(id);
            self.public.payments.borrow_mut().push(id);
            let mut told = self.client.world.told.borrow_mut();
            told.paid.insert(id, order_id);
            told.order_stands(order_id, OrderStatus::Completed);
        }
    }

    pub(super) async fn cancel(&self) {
        let Some(id) = self.some_order() else { return };
        let actor = Actor::Customer(self.user);
        let command = move |_, _| Box::pin(async move { Ok(CancelOrder { id, actor, trace_parent: None }) }) as _;
        let change = Change::<CancelOrders, Order> {
            what: format!("user {} cancels order {id}", self.user),
            owner: Some(self.user),
            desk: |desks| &desks.cancel_order,
            number: |order| order.id.get(),
            command: &command,
        };
        let outcome = if self.client.dice.chance(50) {
            self.client.submit::<CancelOrders, Order, OrderError>(&change).await
        } else {
            self.client.submit_with_key::<CancelOrders, Order, OrderError>(&change).await
        };
        if outcome.done().is_some() {
            self.client.world.told.borrow_mut().order_stands(id, OrderStatus::Cancelled);
        }
    }

    pub(super) async fn refund(&self) {
        let dice = &self.client.dice;
        let own = dice.pick(&self.payments.borrow()).filter(|_| dice.chance(85));
        let Some(id) = own.or_else(|| dice.pick(&self.public.payments.borrow())) else { return };
        self.client.world.told.borrow_mut().refund_asked.insert(id);
        let actor = Actor::Customer(self.user);
        let command = move |_, _| Box::pin(async move { Ok(RefundPayment { id, actor, trace_parent: None }) }) as _;
        let change = Change::<Refund, Payment> {
            what: format!("user {} wants payment {id} back", self.user),
            owner: Some(self.user),
            desk: |desks| &desks.refund,
            number: |payment| i64::from(payment.status == PaymentStatus::Refunded),
            command: &command,
        };
        let outcome = if dice.chance(50) {
            self.client.submit::<Refund, Payment, PaymentError>(&change).await
        } else {
            self.client.submit_with_key::<Refund, Payment, PaymentError>(&change).await
        };
        if outcome.done().is_some() {
            self.client.world.told.borrow_mut().refunded.insert(id);
        }
    }
}

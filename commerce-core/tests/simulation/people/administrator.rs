use super::client::{Client, Outcome};
use super::keyed::Change;
use crate::catalog::some_offer;
use crate::told::Fate;
use commerce_core::coupon::{Coupon, CouponError, CreateCoupon, CreateCoupons, NewCoupon};
use commerce_core::stock::{AdjustStock, StockAdjustment, StockError, StockQuantity};
use commerce_core::{Clock, Commerce, CouponId, OptionId, Sequence};

const ACTIONS: usize = 3;
const PAUSE_MS: u64 = 2_000;

/// Somebody who runs the shop.
pub(crate) struct Administrator(pub(crate) Client);

impl Administrator {
    pub(crate) async fn work(&self) {
        for _ in 0..ACTIONS {
            self.0.pause(PAUSE_MS).await;
            if self.0.dice.chance(50) { self.adjust().await } else { self.offer().await }
        }
    }

    async fn adjust(&self) {
        let (client, dice) = (&self.0, &self.0.dice);
        let (options, unknown) = (client.world.catalog.borrow().options.clone(), OptionId::new(777_777).expect("it is an id"));
        let option_id = if dice.chance(15) { unknown } else { dice.pick(&options).unwrap_or(unknown) };
        let delta = if dice.chance(30) { -dice.between(1, 60) } else { dice.between(1, 9) };
        let reason = format!("count {}", client.world.told.borrow_mut().number());
        let command = {
            let reason = reason.clone();
            move |_, _| {
                let reason = reason.clone();
                Box::pin(async move { Ok(AdjustStock { option_id, delta, reason }) }) as _
            }
        };
        let change = Change::<StockAdjustment, StockQuantity> {
            what: format!("adjust option {option_id} by {delta}: {reason}"),
            owner: None,
            desk: |desks| &desks.adjust_stock,
            number: |stock| i64::from(stock.units()),
            command: &command,
        };
        let outcome = client.submit_with_key::<StockAdjustment, StockQuantity, StockError>(&change).await;
        let fate = match outcome.fate() {
            Fate::Done(_) => Fate::Done(()),
            Fate::NotDone => Fate::NotDone,
            Fate::Unknown => Fate::Unknown,
        };
        client.world.told.borrow_mut().adjusted.insert(reason, fate);
    }

    async fn offer(&self) {
        let (client, dice) = (&self.0, &self.0.dice);
        let now = client.world.clock.now();
        let coupon = if dice.chance(10) { NewCoupon { expires_at: now, ..some_offer(dice, now) } } else { some_offer(dice, now) };
        let opened = if dice.chance(50) {
            let answer = client.ask(async |commerce| commerce.create_coupon(coupon.clone()).await.map(|coupon| coupon.id.get())).await;
            let outcome = Outcome::of(&client.world, answer);
            client.note(&format!("offer {} coupons", coupon.initial_stock), &outcome);
            outcome
        } else {
            let command = {
                let coupon = coupon.clone();
                move |commerce: Commerce, _| {
                    let coupon = coupon.clone();
                    Box::pin(async move { Ok(CreateCoupon { id: commerce.next_id(Sequence::Coupon).await?, coupon }) }) as _
                }
            };
            let change = Change::<CreateCoupons, Coupon> {
                what: format!("offer {} coupons", coupon.initial_stock),
                owner: None,
                desk: |desks| &desks.create_coupon,
                number: |coupon| coupon.id.get(),
                command: &command,
            };
            client.submit_with_key::<CreateCoupons, Coupon, CouponError>(&change).await
        };
        if let Some(id) = opened.done().and_then(|id| CouponId::new(id).ok()) {
            client.world.catalog.borrow_mut().coupons.push(id);
            client.world.told.borrow_mut().made_coupons.insert(id);
        }
    }
}

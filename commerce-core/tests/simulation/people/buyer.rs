use super::client::{Client, Outcome};
use super::keyed::Change;
use crate::told::{ChargeTold, Fate};
use commerce_core::point::{Charge, ChargeAmount, ChargePoints, PointError};
use commerce_core::store::PageLimit;
use commerce_core::user::{Email, PasswordHash, Role, UserName};
use commerce_core::{Money, OrderId, PaymentId, UserCouponId, UserId};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const ACTIONS: usize = 7;
const PAUSE_MS: u64 = 1_100;

/// Somebody who charges, orders, pays and asks for coupons.
pub(crate) struct Buyer {
    pub(crate) client: Client,
    pub(crate) user: UserId,
    /// Everybody's ids: some try what is not theirs.
    pub(crate) public: Rc<Public>,
    pub(super) orders: RefCell<Vec<OrderId>>,
    pub(super) payments: RefCell<Vec<PaymentId>>,
}

/// What anybody can guess.
#[derive(Default)]
pub(crate) struct Public {
    pub(crate) orders: RefCell<Vec<OrderId>>,
    pub(crate) payments: RefCell<Vec<PaymentId>>,
    pub(crate) held: RefCell<Vec<UserCouponId>>,
    pub(crate) registered: Cell<u64>,
}

impl Buyer {
    pub(crate) fn new(client: Client, user: UserId, public: Rc<Public>) -> Self {
        Self { client, user, public, orders: RefCell::default(), payments: RefCell::default() }
    }

    /// Comes, does this and that, and goes.
    pub(crate) async fn visit(&self) {
        for _ in 0..ACTIONS {
            self.client.pause(PAUSE_MS).await;
            match self.client.dice.below(16) {
                0 => self.charge().await,
                1..6 => self.order().await,
                6 => self.pay().await,
                7 => self.cancel().await,
                8..10 => self.refund().await,
                10..14 => self.ask_for_coupon().await,
                14 => self.register_a_friend().await,
                _ => self.look_around().await,
            }
        }
    }

    /// Pays points in. The amount tells the charge from all others.
    async fn charge(&self) {
        let (client, dice) = (&self.client, &self.client.dice);
        if dice.chance(8) {
            let refused = ChargeAmount::new(dice.between(0, 999)).map_err(|refusal| refusal.code());
            let outcome: Outcome<i64> = refused.map_or_else(Outcome::Refused, |amount| Outcome::Done(amount.amount().krw()));
            return client.note("charge too little", &outcome);
        }
        let amount = dice.between(1, 6) * 1_000 + client.world.told.borrow_mut().number();
        let user = if dice.chance(6) { Client::nobody() } else { self.user };
        let points = ChargeAmount::new(amount).expect("it is in the range");
        let outcome = if dice.chance(30) {
            let answer = client.ask(async |commerce| commerce.charge(user, points).await.map(Money::krw)).await;
            let outcome = Outcome::of(&client.world, answer);
            client.note(&format!("charge {amount} for user {user}"), &outcome);
            outcome
        } else {
            let command =
                move |_, idempotency_key| Box::pin(async move { Ok(ChargePoints { user_id: user, amount: points, idempotency_key }) }) as _;
            let change = Change::<Charge, Money> {
                what: format!("charge {amount} for user {user}"),
                owner: Some(user),
                desk: |desks| &desks.charge,
                number: |balance| balance.krw(),
                command: &command,
            };
            client.submit_with_key::<Charge, Money, PointError>(&change).await
        };
        let fate = match outcome.fate() {
            Fate::Done(_) => Fate::Done(()),
            Fate::NotDone => Fate::NotDone,
            Fate::Unknown => Fate::Unknown,
        };
        client.world.told.borrow_mut().charges.push(ChargeTold { user, amount, fate });
    }

    /// Registers somebody whose address may be taken.
    async fn register_a_friend(&self) {
        let number = self.public.registered.get();
        self.public.registered.set(number + u64::from(self.client.dice.chance(50)));
        let (name, email) =
            (UserName::parse("Friend").expect("a name"), Email::parse(&format!("friend-{number}@shop.example")).expect("an address"));
        let answer = self
            .client
            .ask(async |commerce| {
                let hash = PasswordHash::new("plain:secret".to_owned());
                commerce.register_hashed(name, email.clone(), hash, Role::Customer).await.map(|user| user.id.get())
            })
            .await;
        let outcome = Outcome::of(&self.client.world, answer);
        self.client.note(&format!("register friend {number}"), &outcome);
        if let Outcome::Done(_) = outcome {
            self.client.world.told.borrow_mut().registered.insert(format!("friend-{number}@shop.example"));
        }
    }

    async fn look_around(&self) {
        let best = self.client.ask(async |commerce| commerce.best_sellers(PageLimit::default()).await.map(|best| best.len())).await;
        let seen = match best {
            Some(Ok(count)) => format!("{count} products"),
            Some(Err(error)) => format!("failed: {error}"),
            None => "no answer".to_owned(),
        };
        self.client.world.note(&self.client.name, &format!("look at the ranking – {seen}"));
        let rename = self
            .client
            .ask(async |commerce| commerce.rename(Client::nobody(), UserName::parse("Nobody").expect("a name")).await.map(|_| 0))
            .await;
        self.client.note("rename nobody", &Outcome::of(&self.client.world, rename));
    }
}

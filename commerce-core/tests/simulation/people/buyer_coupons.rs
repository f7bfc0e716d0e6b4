use super::buyer::Buyer;
use super::client::{Client, Outcome};
use super::keyed::Change;
use crate::told::TaskTold;
use commerce_core::coupon::{CouponRequest, GateRefusal, RequestCoupon, RequestCoupons};
use commerce_core::store::StoreError;
use commerce_core::{AdmissionError, Commerce, CouponId, TaskId, UserId};
use std::time::Duration;

impl Buyer {
    /// Asks for a coupon, for oneself or in the name of somebody who does not exist, and waits a while for the outcome.
    pub(super) async fn ask_for_coupon(&self) {
        let (client, dice) = (&self.client, &self.client.dice);
        let coupons = client.world.catalog.borrow().coupons.clone();
        let unknown = CouponId::new(666_666).expect("it is an id");
        let coupon = if dice.chance(6) { unknown } else { dice.pick(&coupons).unwrap_or(unknown) };
        let user = if dice.chance(6) { Client::nobody() } else { self.user };
        if dice.chance(15) {
            futures_util::join!(self.ask_once(user, coupon), self.ask_once(user, coupon));
        } else {
            self.ask_once(user, coupon).await;
        }
    }

    async fn ask_once(&self, user: UserId, coupon: CouponId) {
        if self.client.dice.chance(40) {
            return self.ask_with_key(user, coupon).await;
        }
        let (client, world) = (&self.client, &self.client.world);
        let answer = client.ask(async |commerce| commerce.request_coupon(user, coupon).await).await;
        let what = format!("user {user} asks for coupon {coupon}");
        let request = match answer {
            Some(Ok(request)) => request,
            refused => {
                let outcome: Outcome<i64> = match refused {
                    Some(Err(AdmissionError::Refused(refusal))) => Outcome::Refused(refusal.code()),
                    Some(Err(AdmissionError::Closed)) => {
                        world.count("client", "found the gate closed");
                        Outcome::Failed
                    }
                    Some(Err(AdmissionError::Store(error))) => Outcome::failed(world, &error),
                    Some(Err(AdmissionError::Gate(_)) | Ok(_)) | None => Outcome::Unknown,
                };
                return client.note(&what, &outcome);
            }
        };
        client.note(&what, &Outcome::Done(format!("task {} has place {}", request.task_id, request.position.get())));
        self.wait_for_task(request.task_id, user, coupon).await;
    }

    /// Asks with a key, until it is known whether there is a task.
    async fn ask_with_key(&self, user: UserId, coupon: CouponId) {
        let command = move |commerce: Commerce, _| {
            Box::pin(async move {
                let admission = match commerce.admit(user, coupon).await {
                    Ok(admitted) => Ok(admitted),
                    Err(AdmissionError::Refused(refusal)) => Err(refusal),
                    Err(other) => return Err(StoreError::Unavailable(other.into())),
                };
                Ok(RequestCoupon { admission, trace_parent: None })
            }) as _
        };
        let change = Change::<RequestCoupons, CouponRequest> {
            what: format!("user {user} asks for coupon {coupon}"),
            owner: Some(user),
            desk: |desks| &desks.request_coupon,
            number: |request| request.task_id.get(),
            command: &command,
        };
        let outcome = self.client.submit_with_key::<RequestCoupons, CouponRequest, GateRefusal>(&change).await;
        if let Some(task) = outcome.done().and_then(|task| TaskId::new(task).ok()) {
            self.wait_for_task(task, user, coupon).await;
        }
    }

    async fn wait_for_task(&self, task: TaskId, user: UserId, coupon: CouponId) {
        let world = &self.client.world;
        world.told.borrow_mut().tasks.insert(task, TaskTold { user, coupon, outcome: None });
        let watched = async |commerce: Commerce| {
            let mut watch = commerce.watch_task(task).await;
            tokio::time::timeout(Duration::from_secs(3), watch.outcome()).await.ok()?.ok()?
        };
        let Some(update) = self.client.ask(watched).await.flatten() else { return };
        if let Some(code) = update.error_code {
            world.count("refusal", code.as_str());
        }
        world.note(&self.client.name, &format!("is told about task {task}: {}", update.message));
        world.must(update.is_final(), || format!("{update:?} is no outcome"));
        if let Some(told) = world.told.borrow_mut().tasks.get_mut(&task) {
            told.outcome = Some(update);
        }
    }
}

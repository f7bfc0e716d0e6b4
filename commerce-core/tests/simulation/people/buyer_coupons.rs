use super::buyer::Buyer;
use super::client::{Client, Outcome};
use crate::told::TaskTold;
use commerce_core::coupon::CouponRequest;
use commerce_core::{AdmissionError, CouponId, UserId};
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
        world.told.borrow_mut().tasks.insert(request.task_id, TaskTold { user, coupon, outcome: None });
        self.wait_for_task(&request).await;
    }

    async fn wait_for_task(&self, request: &CouponRequest) {
        let (world, task) = (&self.client.world, request.task_id);
        let waited = self.client.ask(async |commerce| commerce.task_once_decided(request, Duration::from_secs(3)).await).await;
        let Some(Ok(update)) = waited else { return };
        if let Some(code) = update.error_code {
            world.count("refusal", code.as_str());
        }
        world.note(&self.client.name, &format!("is told about task {task}: {}", update.message));
        if update.is_final()
            && let Some(told) = world.told.borrow_mut().tasks.get_mut(&task)
        {
            told.outcome = Some(update);
        }
    }
}

use super::Commerce;
use crate::coupon::CouponSteps;
use crate::messaging::{Consumer, EventHandler, Group, fan_out};
use crate::notify::NotificationSteps;
use crate::order::OrderSteps;
use crate::scheduler::Scheduler;
use crate::stock::StockSteps;
use std::sync::Arc;

impl Commerce {
    /// Begins to handle events on behalf of these groups. Groups whose work is not part of this shop are ignored.
    pub fn start_consumers(&self, groups: &[Group]) {
        let clock = || Arc::clone(&self.0.parts.clock);
        for group in groups {
            match group {
                Group::Stock => self.consume(StockSteps { clock: clock() }),
                Group::Coupon => self.consume(CouponSteps { clock: clock() }),
                Group::Order => self.consume(OrderSteps { clock: clock() }),
                Group::Notification => self.notify(),
                Group::CouponIssuer | Group::Ranking => {}
            }
        }
    }

    /// Begins to do the jobs that are due by the clock.
    pub fn start_scheduler(&self) {
        self.0.workers.spawn(Scheduler::new(self.clone()).run(self.0.stop.clone()));
    }

    fn consume<E: EventHandler>(&self, handler: E) {
        let parts = &self.0.parts;
        let (bus, clock, random) = (Arc::clone(&parts.bus), Arc::clone(&parts.clock), Arc::clone(&parts.random));
        let consumer = Consumer::new(handler, &self.0.group_commit, bus, clock, random, self.0.settings.saga_pace);
        self.0.workers.spawn(consumer.run(self.0.stop.clone()));
    }

    fn notify(&self) {
        let (parts, stop) = (self.0.parts.clone(), self.0.stop.clone());
        self.0.workers.spawn(async move {
            let notifier = &parts.notifier;
            let (bus, random) = (Arc::clone(&parts.bus), Arc::clone(&parts.random));
            fan_out(Group::Notification, NotificationSteps::HANDLES, bus, random, stop, async |events| {
                let notifications = NotificationSteps::notifications(&events);
                if let Err(error) = notifier.publish(&notifications).await {
                    tracing::warn!(error = %error.0, "clients that wait will learn at their next look");
                }
            })
            .await;
        });
    }
}

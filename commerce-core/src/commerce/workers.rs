use super::Commerce;
use crate::coupon::{CouponIssuer, CouponSteps, GateSettler};
use crate::messaging::{Consumer, Effect, EffectConsumer, EventHandler, Group, fan_out};
use crate::notify::NotificationSteps;
use crate::order::OrderSteps;
use crate::ranking::SaleCounter;
use crate::scheduler::Scheduler;
use crate::stock::StockSteps;
use std::sync::Arc;
use std::time::Duration;

/// How long sales gather before they are counted: no ranking that is shown depends on the present day.
const SALES_GATHER: Duration = Duration::from_millis(200);

impl Commerce {
    /// Begins to handle events on behalf of these groups.
    pub fn start_consumers(&self, groups: &[Group]) {
        let clock = || Arc::clone(&self.0.parts.clock);
        for group in groups {
            match group {
                Group::Stock => self.consume(StockSteps { clock: clock() }),
                Group::Coupon => self.consume(CouponSteps { clock: clock() }),
                Group::Order => self.consume(OrderSteps { clock: clock() }),
                Group::Notification => self.notify(),
                Group::CouponIssuer => self.consume(CouponIssuer { clock: clock() }),
                Group::CouponGate => self.effect(GateSettler { gate: Arc::clone(&self.0.parts.gate) }, Duration::ZERO),
                Group::Ranking => {
                    let (board, calendar) = (Arc::clone(&self.0.parts.board), self.0.settings.calendar);
                    self.effect(SaleCounter { board, calendar, clock: clock() }, SALES_GATHER);
                }
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

    fn effect<E: Effect>(&self, effect: E, gather: Duration) {
        let parts = &self.0.parts;
        let (bus, clock, random) = (Arc::clone(&parts.bus), Arc::clone(&parts.clock), Arc::clone(&parts.random));
        let consumer = EffectConsumer::new(effect, &self.0.group_commit, bus, clock, random, gather);
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

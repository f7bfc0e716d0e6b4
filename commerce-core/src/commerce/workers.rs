use super::Commerce;
use crate::Clock;
use crate::coupon::{CouponIssuer, CouponSteps, GateSettler};
use crate::messaging::{Consumer, Effect, EffectConsumer, EventHandler, Group, Relay, Topic, fan_out, follow_within_commit, topics};
use crate::notify::{NotificationSteps, NotificationTeller, Reach};
use crate::order::OrderSteps;
use crate::ranking::SaleCounter;
use crate::scheduler::Scheduler;
use crate::stock::StockSteps;
use std::sync::Arc;
use std::time::Duration;

/// How long sales gather before they are counted: no ranking that is shown depends on the present day.
const SALES_GATHER: Duration = Duration::from_millis(200);
/// How often it is measured how far groups are behind.
const LAG_EVERY: Duration = Duration::from_secs(5);

impl Commerce {
    /// Begins to handle events on behalf of these groups.
    pub fn start_consumers(&self, groups: &[Group]) {
        let clock = || Arc::clone(&self.0.parts.clock);
        let started = groups.iter().map(|group| {
            let topics = match group {
                Group::Stock => self.consume(StockSteps { clock: clock() }),
                Group::Coupon => self.consume(CouponSteps { clock: clock() }),
                Group::Order => self.consume(OrderSteps { clock: clock() }),
                Group::Notification => self.notify(clock()),
                Group::CouponIssuer => self.consume(CouponIssuer { clock: clock() }),
                Group::CouponGate => self.effect(GateSettler { keeper: self.0.gates.clone() }, Duration::ZERO),
                Group::Ranking => {
                    let (board, calendar) = (Arc::clone(&self.0.parts.board), self.0.settings.calendar);
                    self.effect(SaleCounter { board, calendar, clock: clock() }, SALES_GATHER)
                }
            };
            (*group, topics)
        });
        self.measure_lag(started.collect());
    }

    /// Lets these groups handle the events of this process, each in the commit that appends it, although they read nothing here: an order can be paid
    /// from the commit that places it, wherever the consumers are. Groups whose effects lie outside the store have no part in it.
    pub fn follow(&self, groups: &[Group]) {
        let clock = || Arc::clone(&self.0.parts.clock);
        let commits = &self.0.group_commit;
        for group in groups {
            match group {
                Group::Stock => follow_within_commit(StockSteps { clock: clock() }, commits),
                Group::Coupon => follow_within_commit(CouponSteps { clock: clock() }, commits),
                Group::Order => follow_within_commit(OrderSteps { clock: clock() }, commits),
                Group::CouponIssuer => follow_within_commit(CouponIssuer { clock: clock() }, commits),
                Group::Notification | Group::CouponGate | Group::Ranking => {}
            }
        }
    }

    /// Begins to carry events to a bus that does not read the outbox itself, as soon as a commit of this process appends some; what others left behind
    /// is found within a second.
    pub fn start_relay(&self) {
        let parts = &self.0.parts;
        let (store, bus) = (Arc::clone(&parts.store), Arc::clone(&parts.bus));
        let (clock, random) = (Arc::clone(&parts.clock), Arc::clone(&parts.random));
        let relay = Relay::new(store, bus, clock, random, self.0.group_commit.appended());
        self.0.relays.spawn(relay.run(self.0.stop_relays.clone()));
    }

    /// Begins to do the jobs that are due by the clock.
    pub fn start_scheduler(&self) {
        self.0.workers.spawn(Scheduler::new(self.clone()).run(self.0.stop.clone()));
    }

    fn consume<E: EventHandler>(&self, handler: E) -> Vec<Topic> {
        let parts = &self.0.parts;
        let (bus, clock, random) = (Arc::clone(&parts.bus), Arc::clone(&parts.clock), Arc::clone(&parts.random));
        let consumer = Consumer::new(handler, &self.0.group_commit, bus, clock, random, self.0.settings.saga_pace);
        let topics = consumer.topics();
        self.0.workers.spawn(consumer.run(self.0.stop.clone()));
        topics
    }

    fn effect<E: Effect>(&self, effect: E, gather: Duration) -> Vec<Topic> {
        let parts = &self.0.parts;
        let (bus, clock, random) = (Arc::clone(&parts.bus), Arc::clone(&parts.clock), Arc::clone(&parts.random));
        let consumer = EffectConsumer::new(effect, &self.0.group_commit, bus, clock, random, gather);
        let topics = consumer.topics();
        self.0.workers.spawn(consumer.run(self.0.stop.clone()));
        topics
    }

    /// Where the notifier reaches every process, the group shares the work; otherwise each process hears of everything, and tells its own.
    fn notify(&self, clock: Arc<dyn Clock>) -> Vec<Topic> {
        let (parts, stop) = (self.0.parts.clone(), self.0.stop.clone());
        if parts.notifier.reach() == Reach::Shop {
            return self.effect(NotificationTeller { notifier: parts.notifier, clock }, Duration::ZERO);
        }
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
        topics(NotificationSteps::HANDLES)
    }

    /// Begins to measure how many events these groups have not handled.
    fn measure_lag(&self, groups: Vec<(Group, Vec<Topic>)>) {
        let (bus, stop) = (Arc::clone(&self.0.parts.bus), self.0.stop.clone());
        self.0.workers.spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(LAG_EVERY)).await.is_some() {
                for (group, topics) in &groups {
                    match stop.run_until_cancelled(bus.lag(*group, topics)).await {
                        Some(Ok(events)) => gauge(*group, events),
                        Some(Err(error)) => {
                            tracing::debug!(error = %error.0, group = group.name(), "how far a group is behind is not known");
                        }
                        None => return,
                    }
                }
            }
        });
    }
}

fn gauge(group: Group, events: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and exact up to 2^53 events")]
    metrics::gauge!("commerce_consumer_lag_events", "group" => group.name()).set(events as f64);
}

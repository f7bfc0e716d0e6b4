use super::work::{Work, topics, works};
use super::{BusError, Delivery, Envelope, EventType, Group, MessageBus, StartAt, Subscription, Topic};
use crate::store::{Backoff, Random};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(super) const POLL_MESSAGES_MAX: usize = 256;
pub(super) const BACKOFF: Backoff = Backoff { base: Duration::from_millis(10), cap: Duration::from_secs(2), attempts_max: u32::MAX };

/// Reads the events of `handles` that happen from now on and passes them to `effect`, until `stop`. The effect concerns the present process
/// only, so that nothing is kept about what was read; events that cannot be read are skipped.
pub async fn fan_out<F, Fut>(
    group: Group,
    handles: &'static [EventType],
    bus: Arc<dyn MessageBus>,
    random: Arc<dyn Random>,
    stop: CancellationToken,
    effect: F,
) where
    F: Fn(Vec<Envelope>) -> Fut + Send + Sync,
    Fut: Future<Output = ()> + Send,
{
    let handle = |deliveries: Vec<Delivery>| {
        let events = works(group, deliveries, handles).into_iter().filter_map(|work| match work {
            Work::Handle { envelope, .. } => Some(envelope),
            Work::Bury { .. } => None,
        });
        let effect = effect(events.collect());
        async move {
            effect.await;
            true
        }
    };
    read(bus, group, topics(handles), StartAt::Latest, random, stop, handle).await;
}

/// Polls, handles and acknowledges; subscribes anew after an error of the bus. `handle` answers whether everything was handled.
pub(super) async fn read<F, Fut>(
    bus: Arc<dyn MessageBus>,
    group: Group,
    topics: Vec<Topic>,
    start: StartAt,
    random: Arc<dyn Random>,
    stop: CancellationToken,
    handle: F,
) where
    F: Fn(Vec<Delivery>) -> Fut,
    Fut: Future<Output = bool>,
{
    let mut failures = 0;
    while !stop.is_cancelled() {
        let outcome = match bus.subscribe(group, &topics, start).await {
            Ok(subscription) => read_subscription(subscription, &stop, &handle, &mut failures).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            failures += 1;
            tracing::warn!(error = %error.0, group = group.name(), failures, "reading events again after a pause");
            tokio::select! {
                biased;
                () = tokio::time::sleep(BACKOFF.jitter(failures, random.as_ref())) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn read_subscription<F, Fut>(
    mut subscription: Box<dyn Subscription>,
    stop: &CancellationToken,
    handle: &F,
    failures: &mut u32,
) -> Result<(), BusError>
where
    F: Fn(Vec<Delivery>) -> Fut,
    Fut: Future<Output = bool>,
{
    loop {
        let deliveries = tokio::select! {
            biased;
            () = stop.cancelled() => return subscription.close().await,
            polled = subscription.poll(POLL_MESSAGES_MAX) => polled?,
        };
        *failures = 0;
        if !handle(deliveries).await {
            // Stopped before everything was handled: what was not acknowledged comes again.
            return Ok(());
        }
        subscription.acknowledge().await?;
    }
}

use super::plug::Seat;
use super::{Call, Plug};
use async_trait::async_trait;
use commerce_core::messaging::{BusError, Delivery, Group, Message, MessageBus, StartAt, Subscription, Topic};
use std::future::pending;
use std::sync::Arc;

/// The bus as one process sees it.
pub(crate) struct PluggedBus {
    pub(crate) inner: Arc<dyn MessageBus>,
    pub(crate) plug: Arc<Plug>,
}

#[async_trait]
impl MessageBus for PluggedBus {
    async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        self.plug.reach(Call::Publish, self.inner.publish(messages)).await
    }

    async fn subscribe(&self, group: Group, topics: &[Topic], start: StartAt) -> Result<Box<dyn Subscription>, BusError> {
        let inner = self.plug.reach(Call::Subscribe, self.inner.subscribe(group, topics, start)).await?;
        Ok(Box::new(PluggedSubscription { seat: self.plug.seat(inner), plug: Arc::clone(&self.plug) }))
    }

    async fn lag(&self, group: Group, topics: &[Topic]) -> Result<u64, BusError> {
        self.inner.lag(group, topics).await
    }
}

struct PluggedSubscription {
    seat: Seat,
    plug: Arc<Plug>,
}

#[async_trait]
impl Subscription for PluggedSubscription {
    async fn poll(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        // Only once there is something to read does it count as a call: who waits for messages does not crash of it.
        let polled = {
            let mut seat = self.seat.lock().await;
            let polled = match seat.as_mut() {
                None => None,
                Some(inner) => tokio::select! {
                    biased;
                    () = self.plug.pulled() => None,
                    polled = inner.poll(max) => Some(polled),
                },
            };
            if polled.is_none() {
                drop(seat.take());
            }
            polled
        };
        let Some(polled) = polled else { return pending().await };
        self.plug.reach(Call::Poll, async { polled }).await
    }

    async fn acknowledge(&mut self) -> Result<(), BusError> {
        let seat = Arc::clone(&self.seat);
        let acknowledge = async {
            match seat.lock().await.as_mut() {
                Some(inner) => inner.acknowledge().await,
                None => Ok(()),
            }
        };
        self.plug.reach(Call::Acknowledge, acknowledge).await
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        drop(self.seat.lock().await.take());
        Ok(())
    }
}

use super::Commerce;
use super::lookups::{OrderLookup, RequestLookup};
use crate::coupon::CouponRequest;
use crate::notify::{NotifyError, OrderUpdate, Subject, TaskUpdate, Watch};
use crate::order::OrderStatus;
use crate::store::{GroupRead, OrderView, StoreError};
use crate::{OrderId, TaskId};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How often a watcher reads the present state if it is told nothing: notifications are hints.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a watcher pauses before it reads the present state because its watch may have missed something: a watch that says so again and
/// again must not make it read without end.
const MISSED_PAUSE: Duration = Duration::from_millis(50);

/// The changes of one order, each once and in order.
pub struct OrderWatch {
    id: OrderId,
    orders: Arc<GroupRead<OrderLookup>>,
    watch: Box<dyn Watch>,
    told: Option<OrderUpdate>,
    pending: VecDeque<OrderUpdate>,
}

impl OrderWatch {
    /// The present state at first, then each change as it happens; `None` once nothing more will come. It is safe to cancel.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next(&mut self) -> Result<Option<OrderUpdate>, Arc<StoreError>> {
        if self.told.is_some_and(|update| update.status.ends_stream()) {
            return Ok(None);
        }
        loop {
            if let Some(update) = self.pending.pop_front() {
                if self.told.is_none_or(|told| update.progress() > told.progress()) {
                    self.told = Some(update);
                    return Ok(Some(update));
                }
                continue;
            }
            let told = if self.told.is_none() { None } else { hint(self.watch.as_mut(), Instant::now() + LOOK_EVERY).await };
            match told.and_then(|payload| serde_json::from_str(&payload).ok()) {
                Some(update) => self.pending.push_back(update),
                None => match self.orders.get(self.id).await? {
                    Some(view) => self.pending.push_back(OrderUpdate::of(&view.order)),
                    None => return Ok(None),
                },
            }
        }
    }
}

/// The outcome of one request for a coupon.
pub struct TaskWatch {
    id: TaskId,
    requests: Arc<GroupRead<RequestLookup>>,
    watch: Box<dyn Watch>,
    looked: bool,
}

impl TaskWatch {
    /// The outcome, at once if it is known, else when it happens; `None` if there is no such request any more. It is safe to cancel.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn outcome(&mut self) -> Result<Option<TaskUpdate>, Arc<StoreError>> {
        loop {
            if self.looked
                && let Some(payload) = hint(self.watch.as_mut(), Instant::now() + LOOK_EVERY).await
                && let Ok(update) = serde_json::from_str::<TaskUpdate>(&payload)
            {
                return Ok(Some(update));
            }
            let Some(request) = self.requests.get(self.id).await? else { return Ok(None) };
            self.looked = true;
            if !request.is_pending() {
                return Ok(Some(TaskUpdate::of(&request)));
            }
        }
    }
}

/// The next notification until `deadline`; `None` if it is time to read the present state. It is safe to cancel.
async fn hint(watch: &mut dyn Watch, deadline: Instant) -> Option<String> {
    match timeout_at(deadline, watch.next()).await {
        Ok(Some(payload)) => Some(payload),
        Ok(None) => {
            sleep_until(deadline.min(Instant::now() + MISSED_PAUSE)).await;
            None
        }
        Err(_) => None,
    }
}

/// Where nobody tells anything, all that is left is to look.
struct Untold;

#[async_trait]
impl Watch for Untold {
    async fn next(&mut self) -> Option<String> {
        std::future::pending().await
    }
}

impl Commerce {
    /// Watches a subject, or, where that is not possible now, leaves it to the looks that are taken anyway.
    async fn watch(&self, subject: Subject) -> Box<dyn Watch> {
        self.0.parts.notifier.watch(subject).await.unwrap_or_else(|NotifyError(error)| {
            tracing::warn!(%error, %subject, "a client is told what is found by looking: the notifier is unavailable");
            Box::new(Untold)
        })
    }

    /// Watches an order. The caller has made sure that it exists and may be seen.
    pub async fn watch_order(&self, id: OrderId) -> OrderWatch {
        let watch = self.watch(Subject::Order(id)).await;
        OrderWatch { id, orders: Arc::clone(&self.0.orders), watch, told: None, pending: VecDeque::new() }
    }

    /// Watches a request for a coupon. The caller has made sure that it exists and may be seen.
    pub async fn watch_task(&self, id: TaskId) -> TaskWatch {
        let watch = self.watch(Subject::Task(id)).await;
        TaskWatch { id, requests: Arc::clone(&self.0.requests), watch, looked: false }
    }

    /// What became of a request for a coupon, or where it stands after `patience`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn task_once_decided(&self, request: &CouponRequest, patience: Duration) -> Result<TaskUpdate, Arc<StoreError>> {
        let mut watch = self.watch_task(request.task_id).await;
        let decided = tokio::time::timeout(patience, watch.outcome()).await;
        Ok(decided.unwrap_or(Ok(None))?.unwrap_or_else(|| TaskUpdate::of(request)))
    }

    /// The order once it has left PENDING, or as it is after `patience`; `None` if it does not exist.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn order_once_settled(&self, id: OrderId, patience: Duration) -> Result<Option<OrderView>, Arc<StoreError>> {
        let deadline = Instant::now() + patience;
        let mut watch = None;
        loop {
            let view = self.0.orders.get(id).await?;
            let settled = view.as_ref().is_none_or(|view| view.order.status != OrderStatus::Pending);
            if settled || Instant::now() >= deadline {
                return Ok(view);
            }
            // Most orders are settled with the commit that places them: only for the others somebody watches, and looks once more, for what
            // happened before the watch began is not told.
            match &mut watch {
                None => watch = Some(self.watch(Subject::Order(id)).await),
                Some(watch) => {
                    let look_again = deadline.min(Instant::now() + LOOK_EVERY);
                    let _told_or_time_to_look = hint(watch.as_mut(), look_again).await;
                }
            }
        }
    }
}

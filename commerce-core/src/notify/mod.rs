//! Notifications: how a waiting client learns what became of its order or its request for a coupon.

mod order_update;
mod steps;
mod task_update;
mod teller;

pub use order_update::OrderUpdate;
pub use steps::NotificationSteps;
pub use task_update::{TaskStatus, TaskUpdate};
pub use teller::NotificationTeller;

use crate::{OrderId, TaskId};
use async_trait::async_trait;
use std::error::Error;
use std::fmt;

/// Why a notifier could not do its work.
#[derive(Debug, thiserror::Error)]
#[error("the notifier is unavailable")]
pub struct NotifyError(#[from] pub Box<dyn Error + Send + Sync>);

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Changes of an order.
    Order(OrderId),
    /// The outcome of a request for a coupon.
    Task(TaskId),
}

/// Writes `order-7` or `task-7`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order-{id}"),
            Self::Task(id) => write!(f, "task-{id}"),
        }
    }
}

/// Something that happened to a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub subject: Subject,
    /// What happened, as JSON.
    pub payload: String,
}

/// Whose watchers a notifier tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of its own process: every process publishes what it hears of.
    Process,
    /// Those of every process of the shop: one process publishes for all.
    Shop,
}

/// Carries notifications to whoever watches the subject.
///
/// A notification is a hint: it MAY be lost or come twice, so that watchers read the present state when they begin, and now and then.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Whose watchers are told.
    fn reach(&self) -> Reach {
        Reach::Process
    }

    /// Tells the watchers. It MUST NOT wait for a slow one.
    ///
    /// # Errors
    /// [`NotifyError`] if the notifications may not have gone out.
    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError>;

    /// Begins to watch. Everything published after this returns MUST reach the watch, in order, unless it falls too far behind or whoever carries it
    /// is lost in between: then the watch says so.
    ///
    /// # Errors
    /// [`NotifyError`] if watching is not possible now.
    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError>;
}

/// One watcher of one subject. Dropping it ends the watching.
#[async_trait]
pub trait Watch: Send {
    /// Waits for the next notification. It MUST be safe to cancel. `None` means that some may have been missed: read the present state.
    async fn next(&mut self) -> Option<String>;
}

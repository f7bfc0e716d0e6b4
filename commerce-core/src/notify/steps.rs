use super::{Notification, OrderUpdate, Subject, TaskUpdate};
use crate::messaging::{Envelope, EventType};

/// What waiting clients are told about events.
pub struct NotificationSteps;

impl NotificationSteps {
    /// The events somebody may wait for.
    pub const HANDLES: &'static [EventType] = &[
        EventType::OrderConfirmed,
        EventType::OrderFailed,
        EventType::OrderPaid,
        EventType::OrderCancelled,
        EventType::OrderExpired,
        EventType::OrderRefunded,
        EventType::CouponIssued,
        EventType::CouponIssueFailed,
    ];

    /// The notifications that follow from events.
    pub fn notifications(events: &[Envelope]) -> Vec<Notification> {
        events.iter().filter_map(notification).collect()
    }
}

fn notification(envelope: &Envelope) -> Option<Notification> {
    if let Some(update) = OrderUpdate::from_event(&envelope.event, envelope.occurred_at) {
        return Some(Notification { subject: Subject::Order(update.id), payload: serde_json::to_string(&update).ok()? });
    }
    let update = TaskUpdate::from_event(&envelope.event)?;
    Some(Notification { subject: Subject::Task(update.task_id), payload: serde_json::to_string(&update).ok()? })
}

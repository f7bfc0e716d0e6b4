use super::{NotificationSteps, Notifier};
use crate::Clock;
use crate::messaging::{Effect, EffectError, Envelope, EventType, Group};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// How old news may be that somebody is still told: whoever waits looks for itself far more often.
const NEWS_FOR: Duration = Duration::from_secs(10);

/// Tells the watchers of all processes, on behalf of one group that shares the work.
///
/// What cannot be told now is not told later: it is a hint, and those who wait for it find out by looking.
pub struct NotificationTeller {
    /// Who carries it.
    pub notifier: Arc<dyn Notifier>,
    /// When it is.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Effect for NotificationTeller {
    fn group(&self) -> Group {
        Group::Notification
    }

    fn handles(&self) -> &'static [EventType] {
        NotificationSteps::HANDLES
    }

    async fn apply(&self, events: &[Envelope]) -> Result<(), EffectError> {
        let now = self.clock.now();
        let news: Vec<_> = events.iter().filter(|envelope| now.since(envelope.occurred_at) <= NEWS_FOR).cloned().collect();
        if let Err(error) = self.notifier.publish(&NotificationSteps::notifications(&news)).await {
            tracing::warn!(error = %error.0, "clients that wait will learn at their next look");
        }
        Ok(())
    }
}

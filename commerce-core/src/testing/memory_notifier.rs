use crate::notify::{Notification, Notifier, NotifyError, Subject, Watch};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// How many notifications a watch may lag behind before it misses some.
const BACKLOG_MAX: usize = 256;

/// A notifier for watchers in the same process. Clones share their watchers.
#[derive(Clone, Default)]
pub struct MemoryNotifier {
    channels: Arc<Mutex<HashMap<Subject, broadcast::Sender<String>>>>,
}

impl MemoryNotifier {
    /// A notifier that nobody watches.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many subjects are watched.
    pub fn watched(&self) -> usize {
        self.channels().len()
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<Subject, broadcast::Sender<String>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Notifier for MemoryNotifier {
    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError> {
        let channels = self.channels();
        for notification in notifications {
            if let Some(channel) = channels.get(&notification.subject) {
                // It fails if the last watch is just being dropped: nobody is left to be told.
                drop(channel.send(notification.payload.clone()));
            }
        }
        Ok(())
    }

    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        let receiver = self.channels().entry(subject).or_insert_with(|| broadcast::channel(BACKLOG_MAX).0).subscribe();
        Ok(Box::new(MemoryWatch { subject, receiver, notifier: self.clone() }))
    }
}

struct MemoryWatch {
    subject: Subject,
    receiver: broadcast::Receiver<String>,
    notifier: MemoryNotifier,
}

#[async_trait]
impl Watch for MemoryWatch {
    async fn next(&mut self) -> Option<String> {
        // An error says that this watch lags behind: it has missed some.
        self.receiver.recv().await.ok()
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        let mut channels = self.notifier.channels();
        // This watch's own receiver is still counted.
        if channels.get(&self.subject).is_some_and(|channel| channel.receiver_count() <= 1) {
            channels.remove(&self.subject);
        }
    }
}

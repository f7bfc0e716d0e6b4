use async_trait::async_trait;
use commerce_core::notify::{Notification, Notifier, NotifyError, Subject, Watch};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// How many notifications a slow watcher may be behind.
const BEHIND_MAX: usize = 64;

type Channels = Mutex<HashMap<Subject, Sender<String>>>;

/// Carries notifications to watchers in the same process. A subject costs memory only while somebody watches it.
#[derive(Default)]
pub struct InProcessNotifier {
    channels: Arc<Channels>,
}

impl InProcessNotifier {
    /// A notifier that nobody watches yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many subjects are watched.
    pub fn watched(&self) -> usize {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait]
impl Notifier for InProcessNotifier {
    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for Notification { subject, payload } in notifications {
            if let Some(channel) = channels.get(subject) {
                // It fails if nobody receives, which is nobody's fault.
                let _ = channel.send(payload.clone());
            }
        }
        Ok(())
    }

    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = channels.entry(subject).or_insert_with(|| broadcast::channel(BEHIND_MAX).0);
        Ok(Box::new(ChannelWatch { subject, receiver: Some(channel.subscribe()), channels: Arc::clone(&self.channels) }))
    }
}

struct ChannelWatch {
    subject: Subject,
    /// Taken when the watch is dropped, and not before.
    receiver: Option<Receiver<String>>,
    channels: Arc<Channels>,
}

#[async_trait]
impl Watch for ChannelWatch {
    async fn next(&mut self) -> Option<String> {
        // The channel lives while it is watched, so that falling behind is all that can go wrong.
        self.receiver.as_mut()?.recv().await.ok()
    }
}

impl Drop for ChannelWatch {
    /// The receiver goes while the channels are locked: of two watches that are dropped together, the second sees that it is the last.
    fn drop(&mut self) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.receiver.take());
        if channels.get(&self.subject).is_some_and(|channel| channel.receiver_count() == 0) {
            channels.remove(&self.subject);
        }
    }
}

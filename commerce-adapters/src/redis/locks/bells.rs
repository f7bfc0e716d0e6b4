use crate::redis::Redis;
use crate::redis::notifier::channels::Channels;
use crate::redis::notifier::listener::listen;
use async_trait::async_trait;
use commerce_core::lock::LockWatch;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long somebody waits until Redis has confirmed that it is told. It is told nothing before, and finds out by trying.
const CONFIRM_PATIENCE: Duration = Duration::from_millis(500);

/// Tells those who wait for locks in this process that one was let go, in whatever process that was.
///
/// A process hears of each lock once, and passes it on to one of those who wait for it: were all of them told, all but one would try in vain.
#[derive(Default)]
pub(super) struct Bells {
    hearing: OnceLock<(Arc<Channels>, DropGuard)>,
    bells: Mutex<HashMap<String, Weak<Bell>>>,
}

/// What rings when a lock is let go.
struct Bell {
    rung: Notify,
    /// Whether Redis tells of it.
    confirmed: watch::Sender<bool>,
    /// What rings it.
    ringer: OnceLock<AbortHandle>,
}

impl Drop for Bell {
    fn drop(&mut self) {
        if let Some(ringer) = self.ringer.get() {
            ringer.abort();
        }
    }
}

impl Bells {
    fn bells(&self) -> MutexGuard<'_, HashMap<String, Weak<Bell>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch what is published to a channel.
    pub(super) async fn watch(self: &Arc<Self>, redis: &Redis, channel: String) -> BellWatch {
        let bell = self.bell(redis, &channel);
        let mut confirmed = bell.confirmed.subscribe();
        let _late = timeout(CONFIRM_PATIENCE, confirmed.wait_for(|confirmed| *confirmed)).await.is_ok();
        BellWatch { bells: Arc::clone(self), channel, bell: Some(bell) }
    }

    fn bell(&self, redis: &Redis, channel: &str) -> Arc<Bell> {
        let mut bells = self.bells();
        if let Some(bell) = bells.get(channel).and_then(Weak::upgrade) {
            return bell;
        }
        let bell = Arc::new(Bell { rung: Notify::new(), confirmed: watch::Sender::new(false), ringer: OnceLock::new() });
        bells.insert(channel.to_owned(), Arc::downgrade(&bell));
        let (mut receiver, weak) = (self.channels(redis).receive(channel.to_owned()), Arc::downgrade(&bell));
        let ringer = tokio::spawn(async move {
            receiver.confirmed().await;
            if let Some(bell) = weak.upgrade() {
                bell.confirmed.send_replace(true);
            }
            loop {
                // Whether it was told, or may have missed something: somebody tries.
                receiver.next().await;
                let Some(bell) = weak.upgrade() else { return };
                bell.rung.notify_one();
            }
        });
        bell.ringer.get_or_init(|| ringer.abort_handle());
        bell
    }

    /// What this process hears, by a connection that is made when somebody waits for the first time.
    fn channels(&self, redis: &Redis) -> &Arc<Channels> {
        let begin = || {
            let (channels, stop) = (Arc::<Channels>::default(), CancellationToken::new());
            tokio::spawn(stop.clone().run_until_cancelled_owned(listen(redis.dialler(), Arc::clone(&channels))));
            (channels, stop.drop_guard())
        };
        &self.hearing.get_or_init(begin).0
    }
}

/// One who waits for a lock.
pub(super) struct BellWatch {
    bells: Arc<Bells>,
    channel: String,
    /// Taken when it is dropped, and not before.
    bell: Option<Arc<Bell>>,
}

#[async_trait]
impl LockWatch for BellWatch {
    async fn freed(&mut self) {
        if let Some(bell) = &self.bell {
            bell.rung.notified().await;
        }
    }
}

impl Drop for BellWatch {
    /// The bell goes while the bells are locked: of two that are dropped together, the second sees that it is the last.
    fn drop(&mut self) {
        let mut bells = self.bells.bells();
        drop(self.bell.take());
        if bells.get(&self.channel).is_some_and(|bell| bell.strong_count() == 0) {
            bells.remove(&self.channel);
        }
    }
}

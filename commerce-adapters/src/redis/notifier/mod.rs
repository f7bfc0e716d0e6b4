//! Notifications by publish and subscribe.

pub(super) mod channels;
pub(super) mod listener;

use self::channels::{Channels, Hint, Receiver};
use super::{Redis, Script};
use async_trait::async_trait;
use commerce_core::notify::{Notification, Notifier, NotifyError, Reach, Subject, Watch};
use redis::{RedisError, RedisResult};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How many notifications go out by one script.
const AT_ONCE_MAX: usize = 128;
/// How long a watcher waits until Redis has confirmed that it is told. It may have missed something then, and is told that once it is confirmed.
const CONFIRM_PATIENCE: Duration = Duration::from_millis(500);

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new("publish", include_str!("publish.lua")));

/// Carries notifications to watchers in every process of the shop.
///
/// A process hears by a connection of its own, and subscribes to a subject once for all who watch it there. When that connection was lost, watchers
/// are told that they may have missed something once it is there again; meanwhile they find out by looking. Nothing is stored here: what became of
/// an order or a request is in its row, which every watcher reads first.
///
/// All processes publish by one server, whatever the subject: on a Cluster, whose servers pass everything on to each other, that keeps the order.
pub struct RedisNotifier {
    redis: Redis,
    channels: Arc<Channels>,
    _listening: DropGuard,
}

impl RedisNotifier {
    /// A notifier on these servers. It starts a task that listens until the notifier is dropped, so that a tokio runtime is needed.
    pub fn new(redis: Redis) -> Self {
        let (channels, stop) = (Arc::<Channels>::default(), CancellationToken::new());
        tokio::spawn(stop.clone().run_until_cancelled_owned(listener::listen(redis.dialler(), Arc::clone(&channels))));
        Self { redis, channels, _listening: stop.drop_guard() }
    }

    /// How many subjects are watched in this process.
    pub fn watched(&self) -> usize {
        self.channels.len()
    }

    fn channel(&self, subject: Subject) -> String {
        self.redis.key(format_args!("notify:{subject}"))
    }
}

fn notify_error(error: RedisError) -> NotifyError {
    NotifyError(error.into())
}

#[async_trait]
impl Notifier for RedisNotifier {
    fn reach(&self) -> Reach {
        Reach::Shop
    }

    async fn publish(&self, notifications: &[Notification]) -> Result<(), NotifyError> {
        for piece in notifications.chunks(AT_ONCE_MAX) {
            let words = piece.iter().flat_map(|it| [self.channel(it.subject), it.payload.clone()]);
            let told: RedisResult<()> = self.redis.eval(&PUBLISH, &[self.redis.key("notify")], &words.collect::<Vec<_>>()).await;
            told.map_err(notify_error)?;
        }
        Ok(())
    }

    async fn watch(&self, subject: Subject) -> Result<Box<dyn Watch>, NotifyError> {
        let mut receiver = self.channels.receive(self.channel(subject));
        // While Redis cannot be reached nobody waits for it.
        if !self.channels.is_lost() {
            let _late = timeout(CONFIRM_PATIENCE, receiver.confirmed()).await;
        }
        Ok(Box::new(ChannelWatch { receiver }))
    }
}

struct ChannelWatch {
    receiver: Receiver,
}

#[async_trait]
impl Watch for ChannelWatch {
    async fn next(&mut self) -> Option<String> {
        match self.receiver.next().await {
            Hint::Told(payload) => Some(payload.to_string()),
            Hint::Missed => None,
        }
    }
}

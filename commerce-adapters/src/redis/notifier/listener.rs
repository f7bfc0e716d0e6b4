use super::super::dialler::{Dialler, within};
use super::channels::{Change, Channels};
use crate::random::ThreadRandom;
use commerce_core::store::Backoff;
use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{RedisResult, Value};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How many channels one command names.
const CHANNELS_AT_ONCE: usize = 512;
/// How often it is made sure that the connection is alive.
const PING_EVERY: Duration = Duration::from_secs(5);
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(2), attempts_max: u32::MAX };

/// Keeps a connection on which everything is heard that is watched in this process.
pub(in crate::redis) async fn listen(dialler: Arc<Dialler>, channels: Arc<Channels>) {
    let (mut failures, mut is_first) = (0, true);
    loop {
        let outcome = match dialler.listen().await {
            Ok(connection) => {
                channels.note_lost(false);
                failures = 0;
                let (sink, stream) = connection.split();
                let line = Line { sink, channels: &channels, subscribed: HashSet::new(), is_first, patience: dialler.patience() };
                is_first = false;
                line.hear(stream).await
            }
            Err(error) => {
                channels.note_lost(true);
                Err(error)
            }
        };
        channels.lose();
        failures += 1;
        if let Err(error) = outcome {
            tracing::warn!(%error, failures, "listening to notifications again after a pause");
        }
        tokio::time::sleep(BACKOFF.jitter(failures, &ThreadRandom)).await;
    }
}

/// A connection, and the channels it is subscribed to.
struct Line<'a> {
    sink: PubSubSink,
    channels: &'a Channels,
    subscribed: HashSet<String>,
    is_first: bool,
    patience: Duration,
}

impl Line<'_> {
    /// Hears until the connection is lost.
    async fn hear(mut self, mut stream: PubSubStream) -> RedisResult<()> {
        // What is watched already was not heard of until now, unless nobody could have been told anything before.
        self.follow(!self.is_first).await?;
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = stream.next() => {
                    let message = message.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
                    self.channels.tell(message.get_channel_name(), &String::from_utf8_lossy(message.get_payload_bytes()));
                }
                () = self.channels.changed() => self.follow(false).await?,
                _ = ping.tick() => drop(within(self.patience, self.sink.ping::<Value>()).await?),
            }
        }
    }

    /// Subscribes to what is watched, and unsubscribes from what is not any more.
    async fn follow(&mut self, may_have_missed: bool) -> RedisResult<()> {
        let Change { subscribe, unsubscribe } = self.channels.change(&self.subscribed);
        for names in subscribe.chunks(CHANNELS_AT_ONCE) {
            within(self.patience, self.sink.subscribe(names)).await?;
            self.subscribed.extend(names.iter().cloned());
            self.channels.confirm(names);
            if may_have_missed {
                self.channels.tell_missed(names);
            }
        }
        for names in unsubscribe.chunks(CHANNELS_AT_ONCE) {
            within(self.patience, self.sink.unsubscribe(names)).await?;
            for name in names {
                self.subscribed.remove(name);
            }
        }
        Ok(())
    }
}

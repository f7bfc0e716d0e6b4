use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast, watch};

/// How many notifications a slow watcher may be behind.
const BEHIND_MAX: usize = 64;

/// What a watcher hears.
#[derive(Debug, Clone)]
pub(in crate::redis) enum Hint {
    /// This was published.
    Told(Arc<str>),
    /// Something may have been missed.
    Missed,
}

/// Who watches what in this process, and what is to be told to Redis about it.
#[derive(Debug, Default)]
pub(in crate::redis) struct Channels {
    book: Mutex<Book>,
    changed: Notify,
    lost: AtomicBool,
}

#[derive(Debug, Default)]
struct Book {
    channels: HashMap<String, Channel>,
    /// Channels that somebody has begun or stopped to watch.
    touched: HashSet<String>,
}

#[derive(Debug)]
struct Channel {
    told: broadcast::Sender<Hint>,
    /// Whether Redis has confirmed that this process is subscribed.
    confirmed: watch::Sender<bool>,
}

/// What is to be done at Redis.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) subscribe: Vec<String>,
    pub(super) unsubscribe: Vec<String>,
}

impl Channels {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the last attempt to connect has failed.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.book().channels.len()
    }

    /// Begins to receive what is published to a channel.
    pub(in crate::redis) fn receive(self: &Arc<Self>, name: String) -> Receiver {
        let mut book = self.book();
        if !book.channels.contains_key(&name) {
            book.touched.insert(name.clone());
            self.changed.notify_one();
        }
        let channel = book
            .channels
            .entry(name.clone())
            .or_insert_with(|| Channel { told: broadcast::channel(BEHIND_MAX).0, confirmed: watch::Sender::new(false) });
        let (told, confirmed) = (channel.told.subscribe(), channel.confirmed.subscribe());
        drop(book);
        Receiver { name, told: Some(told), confirmed: Some(confirmed), channels: Arc::clone(self) }
    }

    /// Passes on what was published.
    pub(super) fn tell(&self, name: &str, payload: &str) {
        if let Some(channel) = self.book().channels.get(name) {
            // It fails if the last watch is just being dropped: nobody is left to be told.
            let _nobody = channel.told.send(Hint::Told(payload.into()));
        }
    }

    /// Waits until somebody has begun or stopped to watch.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What is to be changed, given what is subscribed to. Whatever is watched and subscribed to already is confirmed at once.
    pub(super) fn change(&self, subscribed: &HashSet<String>) -> Change {
        let mut book = self.book();
        let mut change = Change::default();
        for name in std::mem::take(&mut book.touched) {
            match (book.channels.get(&name), subscribed.contains(&name)) {
                (Some(_), false) => change.subscribe.push(name),
                (Some(channel), true) => drop(channel.confirmed.send_replace(true)),
                (None, true) => change.unsubscribe.push(name),
                (None, false) => {}
            }
        }
        change
    }

    pub(super) fn confirm(&self, names: &[String]) {
        let book = self.book();
        for channel in names.iter().filter_map(|name| book.channels.get(name)) {
            channel.confirmed.send_replace(true);
        }
    }

    /// Notes that nothing is subscribed to any more; everything that is watched is to be subscribed to anew.
    pub(super) fn lose(&self) {
        let mut book = self.book();
        let Book { channels, touched } = &mut *book;
        for (name, channel) in channels {
            channel.confirmed.send_replace(false);
            touched.insert(name.clone());
        }
        drop(book);
        self.changed.notify_one();
    }

    pub(super) fn note_lost(&self, lost: bool) {
        self.lost.store(lost, Ordering::Relaxed);
    }

    /// Tells watchers of these channels that something may have been published while nobody listened.
    pub(super) fn tell_missed(&self, names: &[String]) {
        let book = self.book();
        for channel in names.iter().filter_map(|name| book.channels.get(name)) {
            let _nobody = channel.told.send(Hint::Missed);
        }
    }
}

/// One watcher of a channel. Dropping it ends the watching.
pub(in crate::redis) struct Receiver {
    name: String,
    /// Taken when it is dropped, and not before.
    told: Option<broadcast::Receiver<Hint>>,
    /// Until it is known that Redis has confirmed.
    confirmed: Option<watch::Receiver<bool>>,
    channels: Arc<Channels>,
}

impl Receiver {
    /// Waits until Redis has confirmed: from then on everything is heard.
    pub(in crate::redis) async fn confirmed(&mut self) {
        if let Some(confirmed) = &mut self.confirmed {
            until_true(confirmed).await;
        }
        self.confirmed = None;
    }

    /// The next that is heard. It is safe to cancel.
    pub(in crate::redis) async fn next(&mut self) -> Hint {
        let Self { told, confirmed, .. } = self;
        let Some(told) = told else { return Hint::Missed };
        let Some(waiting) = confirmed else { return told.recv().await.unwrap_or(Hint::Missed) };
        tokio::select! {
            biased;
            hint = told.recv() => return hint.unwrap_or(Hint::Missed),
            () = until_true(waiting) => {}
        }
        *confirmed = None;
        Hint::Missed
    }
}

async fn until_true(confirmed: &mut watch::Receiver<bool>) {
    // It fails if the channel is gone, which lives for as long as it is watched.
    let _confirmed = confirmed.wait_for(|confirmed| *confirmed).await.is_ok();
}

impl Drop for Receiver {
    /// The receiver goes while the channels are locked: of two that are dropped together, the second sees that it is the last.
    fn drop(&mut self) {
        let mut book = self.channels.book();
        drop(self.told.take());
        if book.channels.get(&self.name).is_some_and(|channel| channel.told.receiver_count() == 0) {
            book.channels.remove(&self.name);
            book.touched.insert(std::mem::take(&mut self.name));
            self.channels.changed.notify_one();
        }
    }
}

use super::{CacheError, FillRight, Look, ReadCache};
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long the cache may take for an answer.
const CALL_MAX: Duration = Duration::from_millis(100);
/// How long a cache that did not answer is left alone: in this time it costs nobody anything.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a reader has the right to fill: far longer than a read takes, and no longer than readers may do without after a crash.
const LEASE: Duration = Duration::from_secs(3);
/// How long a reader waits for another one who is filling, before it reads by itself.
const PATIENCE: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A kind of values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// What its keys begin with, and what it is called in metrics. A change of what values are made of needs another name: processes of two versions
    /// share a cache while they are upgraded.
    pub(crate) name: &'static str,
    /// How long a value is kept.
    pub(crate) keep: Duration,
}

impl Kind {
    fn key(self, key: impl Display) -> String {
        format!("{}:{key}", self.name)
    }

    fn count(self, outcome: &'static str, keys: usize) {
        metrics::counter!("commerce_cache_reads_total", "kind" => self.name, "outcome" => outcome).increment(keys as u64);
    }
}

/// Reads through a cache: what many want is read by one of them, whatever process they are in, and the others take it from there.
pub(crate) struct ReadThrough {
    cache: Arc<dyn ReadCache>,
    /// Until when the cache is left alone.
    shut_until: Mutex<Option<Instant>>,
}

impl ReadThrough {
    pub(crate) fn new(cache: Arc<dyn ReadCache>) -> Self {
        Self { cache, shut_until: Mutex::default() }
    }

    /// What there is under these distinct keys, from the cache where it has it. `read` knows what is true; it is asked for what the cache has not, for
    /// what somebody else takes too long to fill, and for everything while the cache is out of reach.
    pub(crate) async fn read<K, V, E, F, Fut>(&self, kind: Kind, keys: &[K], read: F) -> Result<HashMap<K, V>, E>
    where
        K: Clone + Eq + Hash + Display + Send + Sync,
        V: Serialize + DeserializeOwned + Send,
        E: Send,
        F: Fn(Vec<K>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<HashMap<K, V>, E>> + Send,
    {
        let (mut values, mut open, mut unreadable) = (HashMap::with_capacity(keys.len()), keys.to_vec(), Vec::new());
        let deadline = Instant::now() + PATIENCE;
        let mut outcome = "missed";
        while !open.is_empty() {
            let Some(looks) = self.look(kind, &open).await else {
                outcome = "failed";
                break;
            };
            let (mut granted, mut taken, mut hits) = (Vec::new(), Vec::new(), 0);
            for (key, look) in open.drain(..).zip(looks) {
                match look {
                    Look::Found(value) => match serde_json::from_slice(&value) {
                        Ok(value) => {
                            hits += 1;
                            values.insert(key, value);
                        }
                        Err(_other_form) => unreadable.push(key),
                    },
                    Look::Granted(right) => granted.push((key, right)),
                    Look::Taken => taken.push(key),
                }
            }
            kind.count("hit", hits);
            if !granted.is_empty() {
                kind.count("filled", granted.len());
                values.extend(self.fill(kind, granted, &read).await?);
            }
            open = taken;
            if Instant::now() >= deadline {
                break;
            }
            if !open.is_empty() {
                sleep(LOOK_EVERY).await;
            }
        }
        if !unreadable.is_empty() {
            self.forget(kind, &unreadable).await;
            open.append(&mut unreadable);
        }
        if !open.is_empty() {
            kind.count(outcome, open.len());
            values.extend(read(open).await?);
        }
        Ok(values)
    }

    /// Forgets what is kept under these keys.
    pub(crate) async fn forget<K: Display>(&self, kind: Kind, keys: &[K]) {
        let keys: Vec<_> = keys.iter().map(|key| kind.key(key)).collect();
        // What cannot be forgotten now is kept no longer than the kind says.
        let _out_of_reach = self.call(self.cache.forget(&keys)).await;
    }

    async fn look<K: Display>(&self, kind: Kind, keys: &[K]) -> Option<Vec<Look>> {
        let keys: Vec<_> = keys.iter().map(|key| kind.key(key)).collect();
        self.call(self.cache.look(&keys, LEASE)).await
    }

    async fn fill<K, V, E, F, Fut>(&self, kind: Kind, granted: Vec<(K, FillRight)>, read: &F) -> Result<HashMap<K, V>, E>
    where
        K: Clone + Eq + Hash + Display + Send + Sync,
        V: Serialize + Send,
        F: Fn(Vec<K>) -> Fut,
        Fut: Future<Output = Result<HashMap<K, V>, E>>,
    {
        let values = read(granted.iter().map(|(key, _)| key.clone()).collect()).await;
        let known = values.as_ref().ok();
        let done = granted.iter().map(|(key, right)| {
            let value = known.and_then(|values| values.get(key)).and_then(|value| serde_json::to_vec(value).ok());
            let (key, right) = (kind.key(key), *right);
            async move {
                match value {
                    Some(value) => self.cache.fill(&key, right, value, kind.keep).await,
                    // There is nothing, or it could not be read: nobody is to wait for it.
                    None => self.cache.give_up(&key, right).await,
                }
            }
        });
        let done: Vec<_> = done.collect();
        let _out_of_reach = self.call(async { join_all(done).await.into_iter().collect::<Result<(), CacheError>>() }).await;
        values
    }

    /// Asks the cache; `None` if it does not answer, or did not a moment ago.
    async fn call<T>(&self, call: impl Future<Output = Result<T, CacheError>>) -> Option<T> {
        if self.is_shut() {
            return None;
        }
        match timeout(CALL_MAX, call).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => self.shut(&*error.0),
            Err(late) => self.shut(&late),
        }
    }

    fn is_shut(&self) -> bool {
        self.shut_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }

    fn shut<T>(&self, error: &dyn Error) -> Option<T> {
        let now = Instant::now();
        let last = self.shut_until.lock().unwrap_or_else(PoisonError::into_inner).replace(now + PAUSE);
        if last.is_none_or(|until| until <= now) {
            tracing::warn!(%error, "the cache does not answer: it is done without");
        }
        None
    }
}

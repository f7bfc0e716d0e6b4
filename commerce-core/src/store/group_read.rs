use super::StoreError;
use async_trait::async_trait;
use futures_util::FutureExt;
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

const KEYS_MAX: usize = 256;

/// How many rows are found by their keys with one query.
#[async_trait]
pub(crate) trait Lookup: Send + Sync + 'static {
    type Key: Copy + Eq + Hash + Ord + Send + Sync;
    type Value: Clone + Send + Sync;

    /// What there is under these distinct keys, in ascending order.
    async fn look_up(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, StoreError>;
}

type Found<L> = Result<Option<<L as Lookup>::Value>, Arc<StoreError>>;
type Waiting<L> = (<L as Lookup>::Key, oneshot::Sender<Found<L>>);

/// Group reads: readers that come together share a query. It is what group commit is for writers; a reader that comes alone does not wait.
///
/// Every query begins after its readers asked, so that they see everything that was committed before.
pub(crate) struct GroupRead<L: Lookup> {
    lookup: L,
    waiting: Mutex<Vec<Waiting<L>>>,
    ready: Notify,
    stop: CancellationToken,
}

impl<L: Lookup> GroupRead<L> {
    pub(crate) fn new(lookup: L, stop: CancellationToken) -> Self {
        Self { lookup, waiting: Mutex::default(), ready: Notify::new(), stop }
    }

    /// What there is under `key`. Once nobody works any more, readers look for themselves.
    pub(crate) async fn get(&self, key: L::Key) -> Found<L> {
        if self.stop.is_cancelled() {
            return self.get_alone(key).await;
        }
        let (reply, found) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((key, reply));
        self.ready.notify_one();
        tokio::select! {
            biased;
            found = found => found.unwrap_or_else(|gone| Err(Arc::new(StoreError::Unavailable(gone.into())))),
            () = self.stop.cancelled() => self.get_alone(key).await,
        }
    }

    async fn get_alone(&self, key: L::Key) -> Found<L> {
        self.lookup.look_up(&[key]).await.map(|mut found| found.remove(&key)).map_err(Arc::new)
    }

    /// Answers readers until it is stopped; several of these may run at once.
    pub(crate) async fn work(self: Arc<Self>) {
        loop {
            let readers = self.take();
            if readers.is_empty() {
                tokio::select! {
                    biased;
                    () = self.ready.notified() => {}
                    () = self.stop.cancelled() => return,
                }
                // Let every reader that is ready to ask do so before the query begins.
                tokio::task::yield_now().await;
            } else {
                self.answer(readers).await;
            }
        }
    }

    fn take(&self) -> Vec<Waiting<L>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits behind those who have left.
        waiting.retain(|(_, reply)| !reply.is_closed());
        let count = waiting.len().min(KEYS_MAX);
        waiting.drain(..count).collect()
    }

    async fn answer(&self, readers: Vec<Waiting<L>>) {
        let keys = super::ascending(readers.iter().map(|(key, _)| *key));
        // A panic must not end the worker on which all readers wait.
        let found = AssertUnwindSafe(self.lookup.look_up(&keys)).catch_unwind().await;
        let found = found.unwrap_or_else(|_| Err(StoreError::Backend("a query panicked".into()))).map_err(Arc::new);
        for (key, reply) in readers {
            // A reader that stopped waiting has dropped its receiver: nobody is left to be told.
            let _gone = reply.send(found.as_ref().map(|found| found.get(&key).cloned()).map_err(Arc::clone));
        }
    }
}

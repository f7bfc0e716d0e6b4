use commerce_core::product::OptionDetails;
use commerce_core::{OptionId, UserId};
use moka::future::Cache;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::time::Duration;

/// Whoever changes a price in the database by hand sees it after so long.
const KEPT: Duration = Duration::from_mins(1);
/// About 5 MB of them.
const USERS_MAX: u64 = 50_000;
const OPTIONS_MAX: u64 = 10_000;

/// What is looked up with every order and never changes: which users there are, for none is ever deleted, and what options are called and cost. Units
/// of work of a store share it, and add to it what they have read once they are committed.
#[derive(Clone)]
pub(crate) struct Lasting {
    pub(super) users: Facts<UserId, UserId>,
    pub(super) options: Facts<OptionId, OptionDetails>,
}

impl Lasting {
    /// Nothing is known yet.
    pub(crate) fn new() -> Self {
        Self { users: Facts::new(USERS_MAX), options: Facts::new(OPTIONS_MAX) }
    }

    /// Keeps what was read in a unit of work that is committed: by then it is no change of its own that could be rolled back.
    pub(super) async fn keep(&self, Learned { users, options }: Learned) {
        self.users.keep(users).await;
        self.options.keep(options).await;
    }
}

/// What a unit of work has read of it.
#[derive(Default)]
pub(super) struct Learned {
    pub(super) users: Vec<(UserId, UserId)>,
    pub(super) options: Vec<(OptionId, OptionDetails)>,
}

/// Facts of one kind, of which those are dropped that are asked for least.
#[derive(Clone)]
pub(super) struct Facts<K, V>(Cache<K, V>);

impl<K: Hash + Ord + Copy + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Facts<K, V> {
    fn new(most: u64) -> Self {
        Self(Cache::builder().max_capacity(most).time_to_live(KEPT).build())
    }

    /// What is known of these keys, each once, and the keys of which nothing is known.
    pub(super) async fn look_up(&self, keys: &[K]) -> (Vec<V>, Vec<K>) {
        let (mut known, mut unknown) = (Vec::with_capacity(keys.len()), Vec::new());
        for key in keys.iter().copied().collect::<BTreeSet<_>>() {
            match self.0.get(&key).await {
                Some(fact) => known.push(fact),
                None => unknown.push(key),
            }
        }
        (known, unknown)
    }

    async fn keep(&self, facts: Vec<(K, V)>) {
        for (key, fact) in facts {
            self.0.insert(key, fact).await;
        }
    }
}

use std::collections::BTreeMap;

/// The aggregates a batch has loaded, and which of them it changed.
pub(crate) struct Loaded<K, T> {
    rows: BTreeMap<K, (T, bool)>,
}

impl<K: Ord + Copy, T> Loaded<K, T> {
    pub(crate) fn new(rows: Vec<T>, key: impl Fn(&T) -> K) -> Self {
        Self { rows: rows.into_iter().map(|row| (key(&row), (row, false))).collect() }
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        self.rows.get(&key).map(|(row, _)| row)
    }

    /// Lets `decide` change a row, and marks it as changed if it did not refuse. `None` if there is no such row.
    pub(crate) fn change<R, E>(&mut self, key: K, decide: impl FnOnce(&mut T) -> Result<R, E>) -> Option<Result<R, E>> {
        let (row, changed) = self.rows.get_mut(&key)?;
        let decided = decide(row);
        *changed |= decided.is_ok();
        Some(decided)
    }

    /// The rows that were changed, in ascending key order.
    pub(crate) fn into_changed(self) -> Vec<T> {
        self.rows.into_values().filter_map(|(row, changed)| changed.then_some(row)).collect()
    }
}

/// Distinct keys in ascending order: the order in which rows are locked.
pub(crate) fn ascending<K: Ord>(keys: impl IntoIterator<Item = K>) -> Vec<K> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Where the commands of a batch stand that are decided one after the other: in ascending order of what they lock, those for the same in the
/// order of arrival.
pub(crate) fn order_of_locks<C, K: Ord>(batch: &[C], key: impl Fn(&C) -> K) -> Vec<usize> {
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_by_key(|at| key(&batch[*at]));
    order
}

/// Verdicts in the order of the batch.
pub(crate) fn order_of_arrival<V>(mut verdicts: Vec<(usize, V)>) -> Vec<V> {
    verdicts.sort_unstable_by_key(|(at, _)| *at);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

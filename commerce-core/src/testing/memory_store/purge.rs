use super::State;
use super::state::rows;
use crate::Timestamp;
use imbl::OrdMap;

/// Deletes at most `limit` rows of each kind that are older than `before`; answers how many.
pub(super) fn purge(state: &mut State, before: Timestamp, limit: u32) -> u64 {
    delete(&mut state.outbox, limit, |entry| entry.sent_at.is_some_and(|sent_at| sent_at < before))
        + delete(&mut state.inbox, limit, |at| *at < before)
        + delete(&mut state.coupon_requests, limit, |request| !request.is_pending() && request.admitted_at < before)
        + delete(&mut state.idempotency, limit, |record| record.at < before)
}

fn delete<K: Ord + Clone, V: Clone>(table: &mut OrdMap<K, V>, limit: u32, old: impl Fn(&V) -> bool) -> u64 {
    let keys: Vec<K> = table.iter().filter(|(_, row)| old(row)).map(|(key, _)| key.clone()).take(rows(limit)).collect();
    keys.iter().map(|key| u64::from(table.remove(key).is_some())).sum()
}

use commerce_core::messaging::OutboxRow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How many of the last events are kept in memory.
const TAIL_ROWS_MAX: usize = 4_096;

/// The events that were committed last, and a signal that there are some.
pub(super) struct Commits {
    tail: Mutex<VecDeque<Arc<OutboxRow>>>,
    signal: watch::Sender<i64>,
}

impl Commits {
    pub(super) fn new() -> Self {
        Self { tail: Mutex::new(VecDeque::new()), signal: watch::Sender::new(0) }
    }

    /// Receives the highest row this process has committed; 0 before the first.
    pub(super) fn subscribe(&self) -> watch::Receiver<i64> {
        self.signal.subscribe()
    }

    /// Takes over rows that were committed, ascending.
    pub(super) fn announce(&self, rows: Vec<OutboxRow>) {
        let Some(last) = rows.last().map(|row| row.row.get()) else { return };
        {
            let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.extend(rows.into_iter().map(Arc::new));
            let surplus = tail.len().saturating_sub(TAIL_ROWS_MAX);
            tail.drain(..surplus);
        }
        self.signal.send_replace(last);
    }

    /// At most `limit` rows that follow `after` without a gap. Other processes write to the same file and their rows are not in memory:
    /// where a number is missing the answer ends, and the file has to be asked.
    #[cfg(feature = "embedded")]
    pub(super) fn following(&self, after: i64, limit: usize) -> Vec<Arc<OutboxRow>> {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let start = tail.partition_point(|row| row.row.get() <= after);
        let adjacent = tail.range(start..).zip(after + 1..).take_while(|(row, expected)| row.row.get() == *expected);
        adjacent.take(limit).map(|(row, _)| Arc::clone(row)).collect()
    }
}

use super::AuditSnapshot;
use crate::store::StoreError;
use futures_util::future::BoxFuture;
use std::collections::VecDeque;

/// How many rows are read at once.
pub(super) const PAGE_ROWS: u32 = 1_000;

type Fetch<T, K> = for<'a> fn(&'a mut dyn AuditSnapshot, Option<K>) -> BoxFuture<'a, Result<Vec<T>, StoreError>>;

/// Reads a table row by row in ascending order of a key, holding one page of it.
pub(super) struct Scan<T, K> {
    page: VecDeque<T>,
    after: Option<K>,
    ended: bool,
    rows: u64,
    fetch: Fetch<T, K>,
    key: fn(&T) -> K,
}

impl<T, K: Copy> Scan<T, K> {
    pub(super) fn new(fetch: Fetch<T, K>, key: fn(&T) -> K) -> Self {
        Self { page: VecDeque::new(), after: None, ended: false, rows: 0, fetch, key }
    }

    /// How many rows were read.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row.
    pub(super) async fn next(&mut self, snapshot: &mut dyn AuditSnapshot) -> Result<Option<T>, StoreError> {
        self.next_if(snapshot, |_| true).await
    }

    /// The next row, if it fits.
    pub(super) async fn next_if(&mut self, snapshot: &mut dyn AuditSnapshot, fits: impl Fn(&T) -> bool) -> Result<Option<T>, StoreError> {
        if self.page.is_empty() && !self.ended {
            self.page = (self.fetch)(snapshot, self.after).await?.into();
            self.after = self.page.back().map(self.key);
            self.ended = self.page.is_empty();
            self.rows += u64::try_from(self.page.len()).unwrap_or(u64::MAX);
        }
        Ok(self.page.pop_front_if(|row| fits(row)))
    }
}

use async_trait::async_trait;
use commerce_core::Clock;
use commerce_core::guard::{Conditional, Contended, GuardFor, Rechecked};
use commerce_core::store::{Handler, Store, StoreError};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Rows that many want to change, and the use case that changes them.
#[async_trait]
pub(crate) trait Goods: Sized + Send + Sync + 'static {
    /// The bench.
    const BENCH: &'static str;
    /// How much an operation changes its row by.
    const CHANGE: i64;

    type UseCase: Handler + Rechecked + Contended;
    /// The same, decided by the statement that writes.
    type InPlace: Handler<Command = <Self::UseCase as Handler>::Command, Verdict = <Self::UseCase as Handler>::Verdict> + Conditional;
    /// What somebody has read of a row.
    type Read: Send;

    fn use_case(clock: Arc<dyn Clock>) -> Self::UseCase;
    fn in_place(clock: Arc<dyn Clock>) -> Self::InPlace;
    fn command(row: i64) -> <Self::UseCase as Handler>::Command;
    /// Whether the row was changed.
    fn is_done(verdict: &<Self::UseCase as Handler>::Verdict) -> bool;

    /// Makes rows that can be changed any number of times, or that nothing is left of.
    async fn open(store: &dyn Store, rows: Range<i64>, sold_out: bool) -> Result<(), StoreError>;

    /// Reads a row as it is now, and locks nothing.
    async fn read(store: &dyn Store, row: i64) -> Result<Self::Read, StoreError>;

    /// Writes what a row is to be after the change by what was read, whatever it has become since.
    async fn overwrite(store: &dyn Store, row: i64, read: Self::Read) -> Result<(), StoreError>;

    /// What is stored of all rows.
    async fn books(store: &dyn Store) -> Result<Books, StoreError>;

    /// Puts a counter in front of a guard, for goods that can be used up.
    fn in_front(_guard: Arc<GuardFor<Self::UseCase>>, _store: Arc<dyn Store>) -> Option<Arc<GuardFor<Self::UseCase>>> {
        None
    }
}

/// What is stored of all rows, by their ids.
pub(crate) type Books = HashMap<i64, Account>;

/// What is stored of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// By how much the row has changed since it was made.
    pub(crate) changed: i64,
    /// What the ledger comes to.
    pub(crate) ledger: i64,
    /// How many lines the ledger has.
    pub(crate) lines: u64,
}

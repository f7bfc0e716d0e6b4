//! The store: units of work, the runner that retries them, and group commit.

mod backoff;
mod error;
mod group_commit;
mod group_read;
mod handler;
mod id_allocator;
mod loaded;
mod queries;
mod transact;
mod unit_of_work;

pub use backoff::{Backoff, Random};
pub use error::StoreError;
pub(crate) use group_commit::Follower;
pub use group_commit::{Desk, GroupCommit, GroupCommitLimits};
pub(crate) use group_read::{GroupRead, Lookup};
pub use handler::Handler;
pub use id_allocator::{HiLo, IdAllocator};
pub(crate) use loaded::{Loaded, ascending, order_of_arrival, order_of_locks};
pub use queries::{
    CouponPage, OrderCursor, OrderPage, OrderView, Page, PageLimit, PointEntryPage, ProductFilter, ProductPage, Queries, SaleCursor,
};
pub(crate) use transact::{Begin, transact_counted};
pub use transact::{Transaction, transact};
pub use unit_of_work::{IdBlock, Store, UnitOfWork, Writers};

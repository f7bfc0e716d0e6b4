//! How not to do it: the lock is let go before the commit, and what is written is what the row is from now on, not what changes.

use super::goods::Goods;
use crate::contest::crowd::Attempt;
use commerce_core::lock::{LockName, Locks, Patience, Tenure};
use commerce_core::store::Store;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// How much longer than the lock is held a commit takes.
const COMMIT_TAKES: Duration = Duration::from_millis(2);

pub(super) const NAME: &str = "lock let go before the commit";

/// Changes a row as many programs do it. Whoever has the lock next may read what is not true any more, and writes over what it does not know of.
pub(super) async fn change<G: Goods>(store: Arc<dyn Store>, locks: Locks, row: i64) -> Result<Attempt, Box<dyn Error + Send + Sync>> {
    let name = LockName::of("too-early", row);
    let Some(held) = locks.lock(&[name], Tenure::UNIT_OF_WORK, Patience::SPIN).await? else { return Ok(Attempt::GaveUp) };
    let read = G::read(store.as_ref(), row).await?;
    held.release().await?;
    tokio::time::sleep(COMMIT_TAKES).await;
    G::overwrite(store.as_ref(), row, read).await?;
    Ok(Attempt::Done)
}

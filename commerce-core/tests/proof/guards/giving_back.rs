use super::{clock, random};
use commerce_core::guard::{CounterInFront, Guard, InProcessCounter, RowLock};
use commerce_core::stock::{AdjustStock, Stock, StockAdjustment, StockQuantity, StockRation};
use commerce_core::store::Store;
use commerce_core::testing::{Fault, FaultyStore, MemoryStore};
use commerce_core::{OptionId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const BELIEVED: Duration = Duration::from_secs(10);

/// An option with two units, behind a counter.
struct Shelf {
    store: Arc<FaultyStore>,
    guard: CounterInFront<RowLock<StockAdjustment>, StockRation>,
    option_id: OptionId,
}

impl Shelf {
    async fn open() -> Self {
        let (memory, option_id) = (MemoryStore::new(), OptionId::new(1).unwrap());
        let (stock, first) = Stock::open(option_id, StockQuantity::new(2).unwrap(), Timestamp::from_millis(0));
        let mut uow = memory.begin().await.unwrap();
        uow.stock().open(&[stock], &[first]).await.unwrap();
        uow.commit().await.unwrap();
        let store = Arc::new(FaultyStore::scripted(Arc::new(memory), []));
        let judge = RowLock::new(StockAdjustment { clock: clock() }, Arc::clone(&store) as _, random());
        let guard = CounterInFront::new(judge, StockRation, Arc::new(InProcessCounter::new()), Arc::clone(&store) as _, BELIEVED);
        let shelf = Self { store, guard, option_id };
        // The counter is told what there is.
        assert_eq!(shelf.take(0).await, Some(2));
        assert_eq!(shelf.take(3).await, None);
        shelf
    }

    fn command(&self, units: i64) -> AdjustStock {
        AdjustStock { option_id: self.option_id, delta: -units, reason: "sold".to_owned() }
    }

    /// How many units are left then; `None` for a refusal.
    async fn take(&self, units: i64) -> Option<u32> {
        self.guard.run(self.command(units)).await.unwrap().ok().map(StockQuantity::units)
    }
}

#[tokio::test(start_paused = true)]
async fn what_definitely_failed_is_given_back() {
    let shelf = Shelf::open().await;
    shelf.store.script([Some(Fault::CommitUnavailable); 8]);
    let failed = shelf.guard.run(shelf.command(2)).await.unwrap_err();
    assert!(!failed.is_unknown(), "{failed:?}");
    assert_eq!(shelf.take(2).await, Some(0), "both are there still");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_is_not_given_back_until_it_is_counted_anew() {
    for (fault, left) in [(Fault::CommitAmbiguous, None), (Fault::CommitLost, Some(0))] {
        let shelf = Shelf::open().await;
        shelf.store.script([Some(fault)]);
        assert!(shelf.guard.run(shelf.command(2)).await.unwrap_err().is_unknown());
        assert_eq!(shelf.take(2).await, None, "they may be sold");
        tokio::time::sleep(BELIEVED).await;
        assert_eq!(shelf.take(2).await, left, "the store knows");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_dropped_on_the_way_is_not_given_back_until_it_is_counted_anew() {
    let shelf = Shelf::open().await;
    // Given a caller that leaves while it waits for the store,
    let blocked = shelf.store.begin().await.unwrap();
    let left = tokio::time::timeout(Duration::from_millis(1), shelf.guard.run(shelf.command(2))).await;
    assert!(left.is_err());
    drop(blocked);
    // when the next one comes, then it is turned away, until the store is asked again.
    assert_eq!(shelf.take(1).await, None);
    assert!(shelf.guard.counts().turned_away > 0);
    tokio::time::sleep(BELIEVED).await;
    assert_eq!(shelf.take(1).await, Some(1));
}

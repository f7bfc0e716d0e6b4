use super::contend::{assert_right, contend, fates};
use super::ground::Ground;
use crate::OptionId;
use crate::guard::{
    Admission, AdmissionCounter, ConditionalUpdate, CounterError, CounterInFront, Guard, GuardCounts, InProcessCounter, RowLock,
};
use crate::stock::{StockAdjustment, StockAdjustmentInPlace, StockRation};
use crate::store::Store;
use crate::testing::contract::runner::eventually;
use crate::testing::{Refusals, SeededRandom, SteppedStore, judge_stock};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(100);

type InFront = CounterInFront<ConditionalUpdate<StockAdjustmentInPlace>, StockRation>;

fn in_front(ground: &Ground, store: &Arc<dyn Store>, counter: Arc<dyn AdmissionCounter>, believed: Duration) -> InFront {
    let use_case = StockAdjustmentInPlace { clock: Arc::clone(&ground.clock) };
    let judge = ConditionalUpdate::new(use_case, Arc::clone(store), Arc::new(SeededRandom::new(1)));
    CounterInFront::new(judge, StockRation, counter, Arc::clone(store), believed)
}

/// How many units are left then; `None` if the command was refused.
async fn run(
    ground: &Ground,
    guard: &dyn Guard<Command = crate::stock::AdjustStock, Verdict = Verdict>,
    option: OptionId,
    delta: i64,
) -> Option<u32> {
    let verdict = guard.run(ground.adjustment(option, delta)).await.expect("nothing fails");
    verdict.ok().map(crate::stock::StockQuantity::units)
}

type Verdict = Result<crate::stock::StockQuantity, crate::stock::StockError>;

/// A counter that nobody can reach.
struct Unreachable;

#[async_trait]
impl AdmissionCounter for Unreachable {
    async fn take(&self, _name: &str, _units: u64) -> Result<Admission, CounterError> {
        Err(CounterError("nobody answers".into()))
    }

    async fn give(&self, _name: &str, _units: u64) -> Result<(), CounterError> {
        Err(CounterError("nobody answers".into()))
    }

    async fn tell(&self, _name: &str, _left: u64, _believed: Duration) -> Result<(), CounterError> {
        Err(CounterError("nobody answers".into()))
    }
}

pub(super) async fn a_counter_turns_away_who_comes_too_late_and_has_no_say_in_the_rest(ground: &Ground) {
    turns_away(ground).await;
    is_counted_anew(ground).await;
    is_not_the_judge(ground).await;
    judges_say_so(ground).await;
}

/// Whoever comes too late does not reach the store, until something is added.
async fn turns_away(ground: &Ground) {
    let guard = in_front(ground, &ground.store, Arc::new(InProcessCounter::new()), LONG);
    let option = ground.option(3).await;
    let mut left = Vec::new();
    for _ in 0..10 {
        left.push(run(ground, &guard, option, -1).await);
    }
    assert_eq!(left.iter().flatten().copied().collect::<Vec<_>>(), [2, 1, 0]);
    let GuardCounts { attempts, turned_away, .. } = guard.counts();
    assert_eq!((attempts, turned_away), (3, 7));
    assert_eq!(run(ground, &guard, option, 2).await, Some(2), "who adds is not turned away");
    assert_eq!(run(ground, &guard, option, -2).await, Some(0));
}

/// What others did to the row is known once the count is not believed any more.
async fn is_counted_anew(ground: &Ground) {
    let guard = in_front(ground, &ground.store, Arc::new(InProcessCounter::new()), SHORT);
    let beside = StockAdjustment { clock: Arc::clone(&ground.clock) };
    let beside = RowLock::new(beside, Arc::clone(&ground.store), Arc::new(SeededRandom::new(1)));
    let option = ground.option(1).await;
    assert_eq!(run(ground, &guard, option, -1).await, Some(0));
    assert_eq!(run(ground, &beside, option, 1).await, Some(1));
    eventually("it is counted anew", async || run(ground, &guard, option, -1).await).await;
}

/// A counter that says too much sells nothing that is not there, and one that says nothing keeps nobody from being served.
async fn is_not_the_judge(ground: &Ground) {
    let option = ground.option(1).await;
    let boastful = InProcessCounter::new();
    boastful.tell(&format!("stock-{option}"), 100, LONG).await.expect("it is in this process");
    let guard = in_front(ground, &ground.store, Arc::new(boastful), LONG);
    assert_eq!(run(ground, &guard, option, -1).await, Some(0));
    assert_eq!(run(ground, &guard, option, -1).await, None);
    let option = ground.option(1).await;
    let guard = in_front(ground, &ground.store, Arc::new(Unreachable), LONG);
    assert_eq!(run(ground, &guard, option, -1).await, Some(0));
    assert_eq!(run(ground, &guard, option, -1).await, None);
    assert_eq!(guard.counts().turned_away, 0);
}

/// Whatever becomes of contenders, what is stored is right.
async fn judges_say_so(ground: &Ground) {
    for seed in 0..ground.rounds {
        let store: Arc<dyn Store> = Arc::new(SteppedStore::new(Arc::clone(&ground.store), fates(seed)));
        let guard = in_front(ground, &store, Arc::new(InProcessCounter::new()), SHORT);
        let commands = ground.adjustments(seed).await;
        let told = contend(ground, &guard, commands).await;
        let wrong = judge_stock(ground.store.as_ref(), &told, Refusals::MayBeWrong).await.expect("the store answers");
        assert_right(&wrong, "counter in front", seed);
    }
}

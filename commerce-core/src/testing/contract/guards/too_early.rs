use super::ground::Ground;
use crate::guard::Guard;
use crate::lock::Locks;
use crate::testing::{MemoryLocks, Refusals, ReleasedTooEarly, SeededRandom, Told, judge_stock};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// Long enough for the next one to decide by what is about to change.
const COMMIT_TAKES: Duration = Duration::from_millis(20);
const UNITS: i64 = 5;
const CONTENDERS: usize = 20;

pub(super) async fn a_lock_that_is_let_go_before_the_commit_sells_twice_and_the_judge_says_so(ground: &Ground) {
    let locks = Locks::new(Arc::new(MemoryLocks::new()), Arc::new(SeededRandom::new(1)));
    let guard = ReleasedTooEarly::new(Arc::clone(&ground.store), locks, Arc::clone(&ground.clock), COMMIT_TAKES);
    let option = ground.option(UNITS).await;
    let contender = async || {
        let command = ground.adjustment(option, -1);
        (command.clone(), Told::from(guard.run(command).await))
    };
    let told = join_all((0..CONTENDERS).map(|_| contender())).await;
    let sold = told.iter().filter(|(_, told)| matches!(told, Told::Verdict(Ok(_)))).count();
    assert!(i64::try_from(sold).is_ok_and(|sold| sold > UNITS), "{sold} of {UNITS} units were sold: the example shows nothing");
    let wrong = judge_stock(ground.store.as_ref(), &told, Refusals::HaveReasons).await.expect("the store answers");
    let says = |what: &str| assert!(wrong.iter().any(|wrong| wrong.contains(what)), "no word of {what:?} in {wrong:?}");
    says("an update was lost");
    says("more were sold than there were");
    says("decided by what was not true any more");
}

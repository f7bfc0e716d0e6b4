use super::contend::assert_right;
use super::ground::Ground;
use crate::lock::Tenure;
use crate::stock::{StockAdjustment, StockAdjustmentInPlace};
use crate::testing::{Refusals, Told, judge_stock};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const CONTENDERS: usize = 256;
const UNITS: i64 = 200;

/// The bound that each guard states.
fn bound(guard: &str) -> Duration {
    match guard {
        "group commit" => Duration::from_secs(5),
        "optimistic version" => Duration::from_mins(2),
        _ => Duration::from_secs(30),
    }
}

pub(super) async fn each_of_256_contenders_is_served_within_the_stated_bound(ground: &Ground) {
    let in_place = StockAdjustmentInPlace { clock: Arc::clone(&ground.clock) };
    let guards = ground.guards(|| StockAdjustment { clock: Arc::clone(&ground.clock) }, in_place, Tenure::UNIT_OF_WORK, None);
    for (name, guard) in &guards.all {
        let option = ground.option(UNITS).await;
        let begun = Instant::now();
        let contender = async || {
            let command = ground.adjustment(option, -1);
            let outcome = guard.run(command.clone()).await;
            assert!(outcome.is_ok(), "{name}: {outcome:?} after {:?}, {:?}", begun.elapsed(), guard.counts());
            assert!(begun.elapsed() < bound(name), "{name}: {:?}, {:?}", begun.elapsed(), guard.counts());
            (command, Told::from(outcome))
        };
        let told = join_all((0..CONTENDERS).map(|_| contender())).await;
        let sold = told.iter().filter(|(_, told)| matches!(told, Told::Verdict(Ok(_)))).count();
        assert_eq!(i64::try_from(sold), Ok(UNITS), "{name}");
        let wrong = judge_stock(ground.store.as_ref(), &told, Refusals::HaveReasons).await.expect("the store answers");
        assert_right(&wrong, name, 0);
        let counts = guard.counts();
        assert_eq!((counts.served, counts.gave_up), (256, 0), "{name}: {counts:?}");
    }
    guards.end().await;
}

mod contend;
mod counter;
mod coupons;
mod ground;
mod late;
mod points;
mod rush;
mod stock;
mod too_early;

use self::ground::Ground;
use super::runner::CHECK_MAX;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;

/// How long a round with all guards takes at most.
const ROUND_MAX: Duration = Duration::from_secs(30);
/// The sum of all bounds.
const RUSH_MAX: Duration = Duration::from_mins(6);

/// Checks that every guard keeps its promise on a store, each check on an empty store that `new` makes: random contenders, of whom some stall or
/// crash at a step, come to what they would have come to one after the other; a lock holder that outlived its lease cannot write; and a guard
/// that lets its lock go too early does not pass. `rounds` says how often chance is tried with each guard.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn guards(new: impl AsyncFn() -> Arc<dyn Store>, rounds: u64) {
    let new = async || Arc::new(Ground::new(new().await, rounds));
    // Contenders stall for a part of a second in each round with each guard.
    let max = CHECK_MAX + ROUND_MAX.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    checks! { new within max;
        stock::whatever_becomes_of_contenders_stock_is_as_if_they_came_one_after_the_other,
        points::whatever_becomes_of_contenders_balances_are_as_if_they_came_one_after_the_other,
        coupons::whatever_becomes_of_contenders_coupons_are_as_if_they_came_one_after_the_other,
        late::a_lock_holder_that_outlives_its_lease_cannot_write,
        late::a_lock_in_the_process_is_refused_where_other_processes_write,
        counter::a_counter_turns_away_who_comes_too_late_and_has_no_say_in_the_rest,
        too_early::a_lock_that_is_let_go_before_the_commit_sells_twice_and_the_judge_says_so,
    }
}

/// Checks that each of 256 contenders for one row is served within the bound that each guard states, on an empty store that `new` makes.
///
/// # Panics
/// If somebody is not.
pub async fn guard_rush(new: impl AsyncFn() -> Arc<dyn Store>) {
    let new = async || Arc::new(Ground::new(new().await, 0));
    checks! { new within RUSH_MAX; rush::each_of_256_contenders_is_served_within_the_stated_bound }
}

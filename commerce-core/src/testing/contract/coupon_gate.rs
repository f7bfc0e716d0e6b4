mod admission;
mod rebuild;
mod samples;
mod settlement;

use crate::coupon::CouponGate;
use std::sync::Arc;

/// Checks everything a [`CouponGate`] MUST do, each check on a gate that `new` makes and that knows of no coupon.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn coupon_gate(new: impl AsyncFn() -> Arc<dyn CouponGate>) {
    checks! { new:
        admission::a_coupon_nobody_told_of_is_closed,
        admission::places_are_given_in_the_order_of_requests,
        admission::who_asks_again_with_the_same_task_has_the_same_place,
        admission::a_user_is_not_admitted_again_within_the_window,
        admission::only_an_admission_opens_the_window,
        admission::a_window_of_zero_is_none,
        admission::every_coupon_has_windows_and_places_of_its_own,
        admission::a_coupon_opens_and_expires_to_the_millisecond,
        admission::the_window_is_checked_before_all_the_rest,
        admission::what_is_not_open_comes_before_who_has_a_place,
        admission::a_place_is_refused_as_a_duplicate_before_the_stock_is_looked_at,
        admission::a_coupon_without_stock_admits_nobody,
        admission::the_last_places_go_to_as_many_of_many_at_once,
        admission::one_user_gets_one_place_however_often_it_asks_at_once,
        settlement::an_issued_place_stays_given,
        settlement::a_place_that_was_not_issued_is_free_again_once,
        settlement::a_number_is_not_given_again,
        settlement::the_window_stays_when_a_place_goes_back,
        settlement::an_issued_place_the_gate_did_not_know_of_counts,
        settlement::a_place_that_was_issued_under_another_number_has_that_number,
        settlement::a_settlement_of_another_request_of_the_user_takes_no_place_away,
        settlement::settling_for_a_coupon_nobody_told_of_changes_nothing,
        settlement::what_is_issued_while_a_coupon_is_closed_counts_once_it_is_open,
        settlement::many_places_are_settled_at_once,
        settlement::pending_places_are_listed_oldest_first_of_every_coupon,
        rebuild::a_closed_coupon_admits_nobody_and_has_no_census,
        rebuild::what_is_pending_outlives_a_rebuild,
        rebuild::loaded_places_count,
        rebuild::a_loaded_place_wins_over_one_that_was_kept,
        rebuild::of_two_loaded_places_of_a_user_the_issued_one_counts_else_the_first,
        rebuild::a_coupon_is_told_by_whoever_closed_it_last_alone,
        rebuild::a_call_that_was_thought_lost_and_comes_again_changes_nothing,
        rebuild::many_places_are_loaded_and_kept_at_once,
        rebuild::a_coupon_that_was_never_closed_cannot_be_opened,
        rebuild::numbers_go_on_after_a_rebuild,
        rebuild::a_rebuilt_coupon_follows_what_it_was_opened_with,
        rebuild::a_coupon_can_be_rebuilt_while_many_ask,
        rebuild::what_is_not_over_is_not_retired,
    }
}

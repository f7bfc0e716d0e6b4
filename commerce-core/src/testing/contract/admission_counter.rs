use super::runner::eventually;
use crate::guard::{Admission, AdmissionCounter};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(100);

/// Checks everything an [`AdmissionCounter`] MUST do, each check on a counter that `new` makes and that was told nothing.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn admission_counter(new: impl AsyncFn() -> Arc<dyn AdmissionCounter>) {
    checks! { new:
        what_a_counter_was_not_told_of_is_unknown,
        units_are_taken_while_they_last,
        units_that_were_given_back_are_taken_again,
        of_two_who_tell_the_first_one_counts,
        a_count_is_unknown_once_it_is_not_believed_any_more,
        names_are_counted_apart,
        the_largest_numbers_are_counted,
        no_more_is_taken_than_there_is_by_many_at_once,
    }
}

async fn take(counter: &dyn AdmissionCounter, units: u64) -> Admission {
    counter.take("stock-1", units).await.unwrap()
}

async fn what_a_counter_was_not_told_of_is_unknown(counter: &dyn AdmissionCounter) {
    assert_eq!(take(counter, 1).await, Admission::Unknown);
    counter.give("stock-1", 5).await.unwrap();
    assert_eq!(take(counter, 1).await, Admission::Unknown, "what is given is not all there is");
    assert_eq!(take(counter, 0).await, Admission::Unknown);
}

async fn units_are_taken_while_they_last(counter: &dyn AdmissionCounter) {
    counter.tell("stock-1", 5, LONG).await.unwrap();
    assert_eq!(take(counter, 3).await, Admission::Taken);
    assert_eq!(take(counter, 3).await, Admission::TooLate);
    assert_eq!(take(counter, 2).await, Admission::Taken);
    assert_eq!(take(counter, 1).await, Admission::TooLate);
    assert_eq!(take(counter, u64::MAX).await, Admission::TooLate);
    assert_eq!(take(counter, 0).await, Admission::Taken);
}

async fn units_that_were_given_back_are_taken_again(counter: &dyn AdmissionCounter) {
    counter.tell("stock-1", 1, LONG).await.unwrap();
    assert_eq!(take(counter, 1).await, Admission::Taken);
    counter.give("stock-1", 2).await.unwrap();
    assert_eq!(take(counter, 2).await, Admission::Taken);
    assert_eq!(take(counter, 1).await, Admission::TooLate);
}

async fn of_two_who_tell_the_first_one_counts(counter: &dyn AdmissionCounter) {
    counter.tell("stock-1", 1, LONG).await.unwrap();
    counter.tell("stock-1", 5, LONG).await.unwrap();
    assert_eq!(take(counter, 1).await, Admission::Taken);
    counter.tell("stock-1", 5, LONG).await.unwrap();
    assert_eq!(take(counter, 1).await, Admission::TooLate, "what is used up is known");
}

async fn a_count_is_unknown_once_it_is_not_believed_any_more(counter: &dyn AdmissionCounter) {
    counter.tell("stock-1", 0, SHORT).await.unwrap();
    let unknown = async || (take(counter, 1).await == Admission::Unknown).then_some(());
    eventually("the count is not believed any more", unknown).await;
    counter.tell("stock-1", 1, LONG).await.unwrap();
    assert_eq!(take(counter, 1).await, Admission::Taken);
}

async fn names_are_counted_apart(counter: &dyn AdmissionCounter) {
    let names = ["stock-1", "stock-11", "stock", "{stock-1}", "재고 😀", "*"];
    for (name, left) in names.into_iter().zip(1..) {
        counter.tell(name, left, LONG).await.unwrap();
    }
    for (name, left) in names.into_iter().zip(1..) {
        assert_eq!(counter.take(name, left).await.unwrap(), Admission::Taken, "{name}");
        assert_eq!(counter.take(name, 1).await.unwrap(), Admission::TooLate, "{name}");
    }
}

async fn the_largest_numbers_are_counted(counter: &dyn AdmissionCounter) {
    const BILLION: u64 = 1_000_000_000;
    counter.tell("stock-1", BILLION, LONG).await.unwrap();
    assert_eq!(take(counter, BILLION - 1).await, Admission::Taken);
    assert_eq!(take(counter, 1).await, Admission::Taken);
    assert_eq!(take(counter, 1).await, Admission::TooLate);
}

async fn no_more_is_taken_than_there_is_by_many_at_once(counter: &dyn AdmissionCounter) {
    counter.tell("stock-1", 30, LONG).await.unwrap();
    let answers = join_all((0..50).map(|_| take(counter, 1))).await;
    let taken = answers.iter().filter(|answer| **answer == Admission::Taken).count();
    assert_eq!((taken, answers.len() - taken), (30, answers.iter().filter(|answer| **answer == Admission::TooLate).count()));
}

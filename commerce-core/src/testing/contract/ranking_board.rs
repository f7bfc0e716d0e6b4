use crate::messaging::SoldUnits;
use crate::ranking::{BoardDay, RankingBoard, Sale, SaleState, WINDOW_DAYS};
use crate::{BusinessCalendar, BusinessDay, InvalidId, ProductId, Timestamp};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;

/// As a lock service numbers its grants that begins with the time in microseconds.
const FENCE: u64 = 1_767_225_600_123_456;

/// Checks everything a [`RankingBoard`] MUST do, each check on an empty board that `new` makes.
///
/// # Panics
/// With the name of the first check that fails.
pub async fn ranking_board(new: impl AsyncFn() -> Arc<dyn RankingBoard>) {
    checks! { new:
        an_empty_board_knows_no_calendar_no_day_and_no_ranking,
        a_paid_order_counts_once_however_often_it_is_heard_of,
        a_refund_takes_back_what_was_added,
        a_refund_takes_back_once,
        an_order_whose_refund_is_heard_of_first_is_never_added,
        whatever_order_sales_are_heard_in_the_count_is_the_same,
        days_are_counted_apart,
        what_was_sold_is_paged_ascending_by_product_without_what_was_given_back,
        a_cleared_day_is_counted_anew_and_its_ranking_stays,
        a_day_stays_whole_until_it_is_cleared,
        only_whoever_cleared_a_day_last_calls_it_whole,
        a_day_that_was_forgotten_since_it_was_cleared_is_not_called_whole,
        fences_of_days_are_kept_apart,
        the_ranking_sums_the_three_days_before_today_and_leaves_today_out,
        a_ranking_is_replaced_by_the_next_one,
        a_ranking_is_made_of_whole_days_alone,
        best_sellers_come_first_and_ties_go_to_the_smaller_id,
        a_ranking_of_nothing_is_made_all_the_same,
        rankings_of_two_days_are_kept_apart,
        old_days_and_rankings_are_forgotten,
        a_reset_forgets_everything_and_keeps_the_new_calendar,
        no_sale_is_lost_or_counted_twice_among_many_at_once,
        many_sales_are_counted_at_once,
    }
}

/// A day that is not over yet in the time of any machine: a board may forget old days by itself.
fn today() -> BusinessDay {
    BusinessDay::parse("2100-03-01").unwrap()
}

fn id<Id: TryFrom<i64, Error = InvalidId>>(number: i64) -> Id {
    Id::try_from(number).unwrap()
}

fn units(sold: &[(i64, u64)]) -> Vec<SoldUnits> {
    sold.iter().map(|&(product, units)| SoldUnits { product_id: id(product), units }).collect()
}

fn paid(order: i64, sold: &[(i64, u64)]) -> Sale {
    Sale { order_id: id(order), paid_at: Timestamp::from_millis(order), units: units(sold), state: SaleState::Paid }
}

fn refunded(order: i64, sold: &[(i64, u64)]) -> Sale {
    Sale { state: SaleState::Refunded, ..paid(order, sold) }
}

async fn record(board: &dyn RankingBoard, day: BusinessDay, sales: &[Sale]) {
    board.record(day, sales).await.unwrap();
}

/// What was sold on a day, in pages.
async fn sold(board: &dyn RankingBoard, day: BusinessDay) -> Vec<(i64, u64)> {
    const PAGE: usize = 3;
    let (mut sold, mut after) = (Vec::new(), None);
    loop {
        let page = board.sold(day, after, PAGE).await.unwrap();
        assert!(page.len() <= PAGE, "a page is too long");
        let Some(last) = page.last() else { return sold };
        after = Some(last.product_id);
        sold.extend(page.iter().map(|it| (it.product_id.get(), it.units)));
    }
}

/// Clears a day and calls it whole; what was counted of it is gone.
async fn mark_whole(board: &dyn RankingBoard, day: BusinessDay) {
    assert!(board.clear(day, FENCE).await.unwrap());
    assert!(board.mark_whole(day, FENCE).await.unwrap());
}

/// Calls every day of a ranking whole.
async fn mark_window_whole(board: &dyn RankingBoard, today: BusinessDay) {
    for days_ago in 1..=WINDOW_DAYS {
        mark_whole(board, today.before(days_ago)).await;
    }
}

async fn aggregate(board: &dyn RankingBoard, today: BusinessDay) {
    assert!(board.aggregate(today).await.unwrap());
}

async fn top(board: &dyn RankingBoard, today: BusinessDay, limit: usize) -> Option<Vec<(i64, u64)>> {
    let top = board.top(today, limit).await.unwrap()?;
    Some(top.into_iter().map(|it| (it.product_id.get(), it.units)).collect())
}

async fn whole_days(board: &dyn RankingBoard) -> Vec<BusinessDay> {
    let days = board.days().await.unwrap();
    assert!(days.is_sorted_by_key(|it| it.day), "{days:?}");
    days.into_iter().filter(|it| it.whole).map(|it| it.day).collect()
}

async fn an_empty_board_knows_no_calendar_no_day_and_no_ranking(board: &dyn RankingBoard) {
    assert_eq!(board.calendar().await.unwrap(), None);
    assert_eq!(board.days().await.unwrap(), []);
    assert_eq!(sold(board, today()).await, []);
    assert_eq!(top(board, today(), 10).await, None);
}

async fn a_paid_order_counts_once_however_often_it_is_heard_of(board: &dyn RankingBoard) {
    let sale = paid(1, &[(1, 2), (5, 1)]);
    record(board, today(), &[sale.clone(), sale.clone()]).await;
    record(board, today(), std::slice::from_ref(&sale)).await;
    record(board, today(), &[paid(2, &[(5, 4)]), sale]).await;
    assert_eq!(sold(board, today()).await, [(1, 2), (5, 5)]);
}

async fn a_refund_takes_back_what_was_added(board: &dyn RankingBoard) {
    record(board, today(), &[paid(1, &[(1, 2), (2, 3)]), paid(2, &[(2, 5)])]).await;
    record(board, today(), &[refunded(1, &[(1, 2), (2, 3)])]).await;
    assert_eq!(sold(board, today()).await, [(2, 5)]);
    record(board, today(), &[paid(1, &[(1, 2), (2, 3)])]).await;
    assert_eq!(sold(board, today()).await, [(2, 5)], "it is not added again");
}

async fn a_refund_takes_back_once(board: &dyn RankingBoard) {
    record(board, today(), &[paid(1, &[(1, 2)]), paid(2, &[(1, 7)])]).await;
    let refund = refunded(1, &[(1, 2)]);
    record(board, today(), &[refund.clone(), refund.clone()]).await;
    record(board, today(), &[refund]).await;
    assert_eq!(sold(board, today()).await, [(1, 7)]);
}

async fn an_order_whose_refund_is_heard_of_first_is_never_added(board: &dyn RankingBoard) {
    record(board, today(), &[refunded(1, &[(1, 2)])]).await;
    assert_eq!(sold(board, today()).await, []);
    record(board, today(), &[paid(1, &[(1, 2)])]).await;
    assert_eq!(sold(board, today()).await, []);
    record(board, today(), &[refunded(2, &[(1, 1)]), paid(2, &[(1, 1)]), paid(3, &[(1, 4)])]).await;
    assert_eq!(sold(board, today()).await, [(1, 4)], "also within one call");
}

/// All orders in which these can come.
fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let first_at = |at: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(at);
        permutations(&rest).into_iter().map(move |others| [vec![first], others].concat())
    };
    (0..items.len()).flat_map(first_at).collect()
}

async fn whatever_order_sales_are_heard_in_the_count_is_the_same(board: &dyn RankingBoard) {
    let told = [paid(1, &[(1, 2), (2, 1)]), refunded(1, &[(1, 2), (2, 1)]), paid(2, &[(1, 3)]), paid(2, &[(1, 3)])];
    for (days_ago, order) in (0..).zip(permutations(&[0, 1, 2, 3])) {
        let day = today().before(days_ago);
        for at in &order {
            record(board, day, std::slice::from_ref(&told[*at])).await;
        }
        assert_eq!(sold(board, day).await, [(1, 3)], "heard one by one as {order:?}");
    }
    for (days_ago, order) in (100..).zip(permutations(&[0, 1, 2, 3])) {
        let day = today().before(days_ago);
        record(board, day, &order.iter().map(|at| told[*at].clone()).collect::<Vec<_>>()).await;
        assert_eq!(sold(board, day).await, [(1, 3)], "heard at once as {order:?}");
    }
}

async fn days_are_counted_apart(board: &dyn RankingBoard) {
    let yesterday = today().before(1);
    record(board, today(), &[paid(1, &[(1, 1)])]).await;
    record(board, yesterday, &[paid(2, &[(1, 5)])]).await;
    assert_eq!(sold(board, today()).await, [(1, 1)]);
    assert_eq!(sold(board, yesterday).await, [(1, 5)]);
    let days = [yesterday, today()].map(|day| BoardDay { day, whole: false });
    assert_eq!(board.days().await.unwrap(), days);
}

async fn what_was_sold_is_paged_ascending_by_product_without_what_was_given_back(board: &dyn RankingBoard) {
    let sales = (1..=20).rev().map(|number| paid(number, &[(number * 7, u64::try_from(number).unwrap())]));
    record(board, today(), &sales.collect::<Vec<_>>()).await;
    record(board, today(), &[refunded(3, &[(21, 3)]), refunded(20, &[(140, 20)])]).await;
    let left = (1..=20).filter(|number| ![3, 20].contains(number));
    let expected: Vec<_> = left.map(|number| (number * 7, u64::try_from(number).unwrap())).collect();
    assert_eq!(sold(board, today()).await, expected);
    let after = Some(ProductId::new(133).unwrap());
    assert_eq!(board.sold(today(), after, 10).await.unwrap(), []);
    assert_eq!(board.sold(today(), None, 0).await.unwrap(), []);
}

async fn a_cleared_day_is_counted_anew_and_its_ranking_stays(board: &dyn RankingBoard) {
    let (yesterday, before) = (today().before(1), today().before(2));
    mark_window_whole(board, today()).await;
    record(board, yesterday, &[paid(1, &[(1, 2)]), refunded(2, &[(2, 1)])]).await;
    record(board, before, &[paid(3, &[(3, 1)])]).await;
    aggregate(board, today()).await;
    assert!(board.clear(yesterday, FENCE).await.unwrap());
    assert_eq!(sold(board, yesterday).await, []);
    assert_eq!(whole_days(board).await, [today().before(3), before]);
    assert_eq!(sold(board, before).await, [(3, 1)], "other days stay");
    assert_eq!(top(board, today(), 10).await, Some(vec![(1, 2), (3, 1)]));
    record(board, yesterday, &[paid(1, &[(1, 2)]), paid(2, &[(2, 1)])]).await;
    assert_eq!(sold(board, yesterday).await, [(1, 2), (2, 1)], "nothing is remembered of the orders");
    assert!(board.clear(today().before(5), FENCE).await.unwrap(), "also a day that has no board");
}

async fn a_day_stays_whole_until_it_is_cleared(board: &dyn RankingBoard) {
    let yesterday = today().before(1);
    mark_whole(board, yesterday).await;
    record(board, yesterday, &[paid(1, &[(1, 1)])]).await;
    record(board, today(), &[paid(2, &[(1, 1)])]).await;
    assert_eq!(whole_days(board).await, [yesterday], "also one of which nothing was sold at first");
    assert!(board.mark_whole(yesterday, FENCE).await.unwrap(), "again");
    mark_whole(board, today()).await;
    assert_eq!(whole_days(board).await, [yesterday, today()]);
}

async fn only_whoever_cleared_a_day_last_calls_it_whole(board: &dyn RankingBoard) {
    let yesterday = today().before(1);
    assert!(!board.mark_whole(yesterday, FENCE).await.unwrap(), "nobody cleared it");
    assert!(board.clear(yesterday, FENCE).await.unwrap());
    assert!(board.clear(yesterday, FENCE + 1).await.unwrap());
    record(board, yesterday, &[paid(1, &[(1, 1)])]).await;
    assert!(!board.mark_whole(yesterday, FENCE).await.unwrap());
    assert!(!board.clear(yesterday, FENCE).await.unwrap());
    assert_eq!(whole_days(board).await, []);
    assert_eq!(sold(board, yesterday).await, [(1, 1)], "a late one changes nothing");
    assert!(board.mark_whole(yesterday, FENCE + 1).await.unwrap());
    assert!(!board.clear(yesterday, FENCE).await.unwrap());
    assert_eq!(whole_days(board).await, [yesterday], "nor later");
    assert!(board.clear(yesterday, FENCE + 1).await.unwrap(), "the same one may begin again");
    assert_eq!(whole_days(board).await, []);
}

async fn a_day_that_was_forgotten_since_it_was_cleared_is_not_called_whole(board: &dyn RankingBoard) {
    let (yesterday, before) = (today().before(1), today().before(2));
    board.reset(BusinessCalendar::UTC).await.unwrap();
    assert!(board.clear(yesterday, FENCE).await.unwrap());
    assert!(board.clear(before, FENCE).await.unwrap());
    board.forget(yesterday).await.unwrap();
    assert!(!board.mark_whole(before, FENCE).await.unwrap());
    board.reset(BusinessCalendar::UTC).await.unwrap();
    assert!(!board.mark_whole(yesterday, FENCE).await.unwrap());
    assert_eq!(whole_days(board).await, []);
}

async fn fences_of_days_are_kept_apart(board: &dyn RankingBoard) {
    let (yesterday, before) = (today().before(1), today().before(2));
    assert!(board.clear(yesterday, FENCE + 1).await.unwrap());
    assert!(board.clear(before, FENCE).await.unwrap());
    assert!(board.mark_whole(before, FENCE).await.unwrap());
    assert_eq!(whole_days(board).await, [before]);
}

async fn the_ranking_sums_the_three_days_before_today_and_leaves_today_out(board: &dyn RankingBoard) {
    mark_window_whole(board, today()).await;
    for (days_ago, order) in (0..=WINDOW_DAYS + 1).zip(1..) {
        record(board, today().before(days_ago), &[paid(order, &[(1, 10_u64.pow(days_ago)), (order + 100, 1)])]).await;
    }
    record(board, today().next(), &[paid(99, &[(1, 1)])]).await;
    aggregate(board, today()).await;
    assert_eq!(top(board, today(), 10).await, Some(vec![(1, 1_110), (102, 1), (103, 1), (104, 1)]));
}

async fn a_ranking_is_replaced_by_the_next_one(board: &dyn RankingBoard) {
    let yesterday = today().before(1);
    mark_window_whole(board, today()).await;
    record(board, yesterday, &[paid(1, &[(1, 5), (2, 1)]), paid(2, &[(3, 3)])]).await;
    aggregate(board, today()).await;
    record(board, yesterday, &[refunded(1, &[(1, 5), (2, 1)]), paid(3, &[(2, 4)])]).await;
    assert_eq!(top(board, today(), 10).await, Some(vec![(1, 5), (3, 3), (2, 1)]), "it is as it was made");
    aggregate(board, today()).await;
    assert_eq!(top(board, today(), 10).await, Some(vec![(2, 4), (3, 3)]));
}

async fn a_ranking_is_made_of_whole_days_alone(board: &dyn RankingBoard) {
    let before = today().before(2);
    for days_ago in [1, 3] {
        mark_whole(board, today().before(days_ago)).await;
        record(board, today().before(days_ago), &[paid(i64::from(days_ago), &[(1, 1)])]).await;
    }
    assert!(!board.aggregate(today()).await.unwrap(), "one of its days has no board");
    record(board, before, &[paid(9, &[(1, 1)])]).await;
    assert!(!board.aggregate(today()).await.unwrap(), "nor is it whole");
    assert_eq!(top(board, today(), 10).await, None);
    mark_whole(board, before).await;
    record(board, before, &[paid(9, &[(1, 1)])]).await;
    aggregate(board, today()).await;
    assert!(board.clear(before, FENCE + 1).await.unwrap());
    assert!(!board.aggregate(today()).await.unwrap(), "it is counted anew");
    assert_eq!(top(board, today(), 10).await, Some(vec![(1, 3)]), "meanwhile the ranking stays as it was made");
}

async fn best_sellers_come_first_and_ties_go_to_the_smaller_id(board: &dyn RankingBoard) {
    let yesterday = today().before(1);
    mark_window_whole(board, today()).await;
    // As texts these ids would come in another order.
    let sale = paid(1, &[(100, 5), (9, 5), (20, 5), (7, 11), (1_000, 9), (3, 100)]);
    record(board, yesterday, &[sale]).await;
    aggregate(board, today()).await;
    let ranked = [(3, 100), (7, 11), (1_000, 9), (9, 5), (20, 5), (100, 5)];
    for limit in 0..=7 {
        assert_eq!(top(board, today(), limit).await.unwrap(), ranked[..limit.min(6)]);
    }
}

async fn a_ranking_of_nothing_is_made_all_the_same(board: &dyn RankingBoard) {
    assert_eq!(top(board, today(), 10).await, None);
    mark_window_whole(board, today()).await;
    aggregate(board, today()).await;
    assert_eq!(top(board, today(), 10).await, Some(Vec::new()));
    record(board, today().before(1), &[paid(1, &[(1, 1)])]).await;
    record(board, today().before(1), &[refunded(1, &[(1, 1)])]).await;
    aggregate(board, today()).await;
    assert_eq!(top(board, today(), 10).await, Some(Vec::new()), "what was given back is not ranked");
}

async fn rankings_of_two_days_are_kept_apart(board: &dyn RankingBoard) {
    mark_window_whole(board, today()).await;
    mark_whole(board, today()).await;
    record(board, today().before(1), &[paid(1, &[(1, 1)])]).await;
    record(board, today(), &[paid(2, &[(2, 3)])]).await;
    aggregate(board, today()).await;
    assert_eq!(top(board, today().next(), 10).await, None);
    aggregate(board, today().next()).await;
    assert_eq!(top(board, today(), 10).await, Some(vec![(1, 1)]));
    assert_eq!(top(board, today().next(), 10).await, Some(vec![(2, 3), (1, 1)]));
}

async fn old_days_and_rankings_are_forgotten(board: &dyn RankingBoard) {
    mark_window_whole(board, today().before(3)).await;
    for (days_ago, order) in [(3, 3), (2, 2), (1, 1)] {
        let day = today().before(days_ago);
        mark_whole(board, day).await;
        record(board, day, &[paid(order, &[(order, 1)])]).await;
        aggregate(board, day).await;
    }
    board.forget(today().before(2)).await.unwrap();
    assert_eq!(whole_days(board).await, [today().before(2), today().before(1)]);
    assert_eq!(sold(board, today().before(3)).await, []);
    assert_eq!(sold(board, today().before(2)).await, [(2, 1)]);
    assert_eq!(top(board, today().before(3), 10).await, None);
    assert_eq!(top(board, today().before(2), 10).await, Some(vec![(3, 1)]), "it is kept as it was made");
}

async fn a_reset_forgets_everything_and_keeps_the_new_calendar(board: &dyn RankingBoard) {
    let seoul = BusinessCalendar::named("Asia/Seoul").unwrap();
    board.reset(BusinessCalendar::UTC).await.unwrap();
    assert_eq!(board.calendar().await.unwrap(), Some(BusinessCalendar::UTC));
    mark_window_whole(board, today()).await;
    record(board, today().before(1), &[paid(1, &[(1, 1)])]).await;
    aggregate(board, today()).await;
    board.reset(seoul).await.unwrap();
    assert_eq!(board.calendar().await.unwrap(), Some(seoul));
    assert_eq!(board.days().await.unwrap(), []);
    assert_eq!(sold(board, today().before(1)).await, []);
    assert_eq!(top(board, today(), 10).await, None);
    record(board, today().before(1), &[paid(1, &[(1, 1)])]).await;
    assert_eq!(sold(board, today().before(1)).await, [(1, 1)], "orders are heard of anew");
}

async fn no_sale_is_lost_or_counted_twice_among_many_at_once(board: &dyn RankingBoard) {
    const CALLS: i64 = 40;
    // Neighbours tell of the same orders, and every fifth order is refunded by somebody.
    let call = |number: i64| {
        let sales = (number * 10..number * 10 + 20).flat_map(|order| {
            let sale = paid(1 + order, &[(1, 1), (2 + order % 3, 2)]);
            let refund = Sale { state: SaleState::Refunded, ..sale.clone() };
            [Some(sale), (order % 5 == 0).then_some(refund)].into_iter().flatten()
        });
        let sales: Vec<_> = sales.collect();
        async move { board.record(today(), &sales).await.unwrap() }
    };
    join_all((0..CALLS).map(call)).await;
    let orders: BTreeSet<i64> = (0..CALLS * 10 + 10).filter(|order| order % 5 != 0).collect();
    let of = |rest: i64| orders.iter().filter(|order| **order % 3 == rest).count() as u64 * 2;
    assert_eq!(sold(board, today()).await, [(1, orders.len() as u64), (2, of(0)), (3, of(1)), (4, of(2))]);
}

async fn many_sales_are_counted_at_once(board: &dyn RankingBoard) {
    const SALES: i64 = 1_500;
    mark_window_whole(board, today()).await;
    let mut sales: Vec<_> = (1..=SALES).map(|order| paid(order, &[(1, 1), (1 + order, 3)])).collect();
    record(board, today().before(1), &sales).await;
    sales.truncate(700);
    for sale in &mut sales {
        sale.state = SaleState::Refunded;
    }
    record(board, today().before(1), &sales).await;
    let found = sold(board, today().before(1)).await;
    assert_eq!((found.len(), found[0], found[1]), (801, (1, 800), (702, 3)));
    aggregate(board, today()).await;
    assert_eq!(top(board, today(), 3).await, Some(vec![(1, 800), (702, 3), (703, 3)]));
}

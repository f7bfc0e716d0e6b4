//! The daily boards of the ranking.

use super::*;
use crate::messaging::SoldUnits;
use crate::ranking::{RankingKeeper, Sale, SaleState};
use crate::{BusinessCalendar, BusinessDay};

fn day(text: &str) -> BusinessDay {
    BusinessDay::parse(text).unwrap()
}

/// The days of the window and today, in Seoul.
const DAYS: [&str; 4] = ["2025-12-29", "2025-12-30", "2025-12-31", "2026-01-01"];

/// A fence, the largest there is.
const FENCE: u64 = u64::MAX;

/// Boards that count by the days of Seoul, where it is nine in the morning of 2026-01-01.
async fn board_of(store: &MemoryStore) -> MemoryBoard {
    let board = MemoryBoard::new();
    let calendar = BusinessCalendar::named("Asia/Seoul").unwrap();
    let keeper = RankingKeeper { store: Arc::new(store.clone()), board: Arc::new(board.clone()), locks: locks(), calendar };
    assert_eq!(keeper.prepare(day(DAYS[3])).await.unwrap(), Some(5));
    board
}

fn sale(order: i64, units: u64) -> Sale {
    let units = vec![SoldUnits { product_id: id(1), units }];
    Sale { order_id: id(order), paid_at: NOW, units, state: SaleState::Paid }
}

async fn lines_of_board(store: &MemoryStore, board: &MemoryBoard) -> Vec<String> {
    report_on(store, &InProcessGate::new(), board).await.violations.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn boards_that_count_what_was_sold_are_clean_whatever_their_time_zone() {
    let store = shop().await;
    let at_night = NOW.minus(Duration::from_secs(9 * 60 * 60 + 1));
    store.tamper(|state| row(&mut state.payments, 7).at = at_night);
    let board = board_of(&store).await;
    let sold = board.sold(day(DAYS[2]), None, 9).await.unwrap();
    assert_eq!(sold, [SoldUnits { product_id: id(1), units: 3 }], "it was sold a second before midnight");
    let report = report_on(&store, &InProcessGate::new(), &board).await;
    assert_eq!((report.violations, report.checked.boards), (vec![], 4));
}

#[tokio::test(start_paused = true)]
async fn a9_reports_a_board_that_counts_something_else_than_was_sold() {
    let store = shop().await;
    let board = board_of(&store).await;
    board.record(day(DAYS[3]), &[sale(90, 4)]).await.unwrap();
    assert_eq!(lines_of_board(&store, &board).await, ["A9 board of 2026-01-01: it counts 10 of product 1 but 6 were sold"]);

    let board = board_of(&store).await;
    assert!(board.clear(day(DAYS[3]), FENCE).await.unwrap());
    assert!(board.mark_whole(day(DAYS[3]), FENCE).await.unwrap());
    assert_eq!(lines_of_board(&store, &board).await, ["A9 board of 2026-01-01: it counts 0 of product 1 but 6 were sold"]);
}

#[tokio::test(start_paused = true)]
async fn a9_reports_a_day_with_sales_that_has_no_board_while_others_have() {
    let store = shop().await;
    let board = board_of(&store).await;
    assert!(board.clear(day(DAYS[3]), FENCE).await.unwrap());
    assert_eq!(lines_of_board(&store, &board).await, ["A9 board of 2026-01-01: it is missing although something was sold"]);
    assert!(board.clear(day(DAYS[0]), FENCE).await.unwrap());
    assert_eq!(lines_of_board(&store, &board).await.len(), 1, "nothing was sold on the other day");
}

#[tokio::test(start_paused = true)]
async fn a9_reports_a_board_that_was_lost_and_is_not_counted_anew() {
    let store = shop().await;
    let board = board_of(&store).await;
    assert!(board.clear(day(DAYS[3]), FENCE).await.unwrap());
    board.record(day(DAYS[3]), &[sale(1, 3)]).await.unwrap();
    assert_eq!(lines_of_board(&store, &board).await, ["A9 board of 2026-01-01: it counts 3 of product 1 but 6 were sold"]);
    board.record(day(DAYS[3]), &[sale(7, 3)]).await.unwrap();
    assert_eq!(lines_of_board(&store, &board).await, [""; 0], "it counts everything, whether it knows or not");
    let long_ago = board_of(&store).await;
    long_ago.record(day("2025-12-20"), &[]).await.unwrap();
    assert_eq!(lines_of_board(&store, &long_ago).await, [""; 0], "no ranking shows that day");
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_is_counted_meanwhile_is_not_reported() {
    let store = shop().await;
    let board = board_of(&store).await;
    assert!(board.clear(day(DAYS[3]), FENCE).await.unwrap());
    assert!(board.mark_whole(day(DAYS[3]), FENCE).await.unwrap());
    let count = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        board.record(day(DAYS[3]), &[sale(1, 3), sale(7, 3)]).await.unwrap();
    };
    let (found, ()) = futures_util::join!(lines_of_board(&store, &board), count);
    assert_eq!(found, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_board_that_always_lags_a_little_while_sales_go_on_is_not_reported() {
    const EVERY: Duration = Duration::from_millis(100);
    let store = shop().await;
    let board = board_of(&store).await;
    // Order 2, of three units, is paid again and again; the board hears of each sale half a second late.
    let sell = async {
        for number in 100..250 {
            let payment = Payment { id: id(number), at: NOW, ..payment(1, PaymentStatus::Completed) };
            store.tamper(|state| {
                let order = Order { id: id(number), ..Order::clone(row(&mut state.orders, 1)) };
                state.orders.insert(id(number), Arc::new(order));
                state.payments.insert(id(number), Payment { order_id: id(number), ..payment });
            });
            if number >= 105 {
                board.record(day(DAYS[3]), &[sale(number - 5, 3)]).await.unwrap();
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    let (found, ()) = futures_util::join!(lines_of_board(&store, &board), sell);
    assert!(found.iter().all(|line| !line.starts_with("A9")), "{found:?}");
}

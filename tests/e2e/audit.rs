//! Files that somebody has tampered with.

use crate::closed::ClosedShop;
use serde_json::Value;

cases! {
    ON_ONE_FILE:
        what_somebody_tampered_with_is_reported_line_by_line,
        what_should_move_but_does_not_is_reported_once_it_has_stayed,
        a_row_that_cannot_be_read_does_not_hide_what_else_is_wrong,
}

/// What the audit says of a file, one line a violation.
async fn lines(file: &ClosedShop) -> Vec<String> {
    let lines = file.admin(&["audit"]).await.ended(1);
    lines.lines().filter(|line| line.starts_with('A')).map(str::to_owned).collect()
}

fn line<'a>(lines: &'a [String], beginning: &str) -> &'a str {
    lines.iter().find(|line| line.starts_with(beginning)).unwrap_or_else(|| panic!("{beginning} is not among {lines:#?}"))
}

async fn what_somebody_tampered_with_is_reported_line_by_line() {
    let file = ClosedShop::demo(&[]).await;
    file.tamper(
        "UPDATE point_accounts SET balance = balance + 1 WHERE user_id = 5;
        UPDATE stocks SET quantity = quantity - 1 WHERE option_id = 3;
        UPDATE coupons SET issued = 1 WHERE id = (SELECT MIN(id) FROM coupons WHERE issued = 0);",
    )
    .await;

    let lines = lines(&file).await;

    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(line(&lines, "A1 user 5: ").contains("ledger"));
    assert!(line(&lines, "A2 option 3: ").contains("ledger"));
    assert!(line(&lines, "A5 coupon ").ends_with("1 are issued but users hold 0"));
}

async fn what_should_move_but_does_not_is_reported_once_it_has_stayed() {
    let file = ClosedShop::demo(&[]).await;
    file.tamper(
        "INSERT INTO coupon_requests (task_id, coupon_id, user_id, user_coupon_id, place, admitted_at, status)
            VALUES (900000, 1, 7, 900000, 1, 1000, 'PENDING');
        UPDATE board_units SET units = units + 1 WHERE day = (SELECT MIN(day) FROM board_days) AND product_id = 1;
        DELETE FROM board_days WHERE day = (SELECT MIN(day) FROM board_days WHERE day > (SELECT MIN(day) FROM board_days));
        UPDATE bus_offsets SET seq = seq - 1 WHERE group_name = 'stock';",
    )
    .await;

    let lines = lines(&file).await;

    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(line(&lines, "A8 coupon request 900000: ").contains("it is not decided"));
    assert!(line(&lines, "A8 event ").ends_with("it is not delivered"));
    let counted: Vec<_> = lines.iter().filter(|line| line.starts_with("A9 board of ")).collect();
    assert!(counted.len() == 2 && counted[0].contains("of product 1 but") && counted[1].contains("it is missing"), "{lines:#?}");
}

async fn a_row_that_cannot_be_read_does_not_hide_what_else_is_wrong() {
    let file = ClosedShop::demo(&[]).await;
    file.tamper(
        "UPDATE point_accounts SET balance = balance + 1 WHERE user_id = 5;
        UPDATE orders SET status = 'LOST' WHERE id = 3;
        UPDATE coupons SET issued = 1 WHERE id = (SELECT MIN(id) FROM coupons WHERE issued = 0);",
    )
    .await;

    let report: Value = serde_json::from_str(&file.admin(&["audit", "--json"]).await.ended(1)).expect("JSON");

    assert_eq!(report["clean"], false);
    let found: Vec<_> = report["violations"].as_array().expect("a list").iter().map(|found| found["check"].as_str()).collect();
    assert_eq!(found, [Some("A1"), Some("A5"), Some("A7")], "{report}");
    assert_eq!(report["violations"][2]["subject"], "stored data", "{report}");
}

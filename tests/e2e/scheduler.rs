//! The scheduler as a program of its own, beside a server and without one.

use crate::buyer::{PATIENCE, eventually};
use crate::client::Client;
use crate::closed::{ClosedShop, Said};
use crate::place::{Place, SCHEDULER};
use crate::shop::Shop;
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;
use std::process::Stdio;
use tokio::time::timeout;

cases! {
    EVERYWHERE:
        each_job_is_done_once_beside_a_running_server,
        an_overdue_order_is_ended_and_gives_back_its_stock_without_a_server,
        a_scheduler_that_runs_on_tells_operators_that_it_is_well_until_it_is_told_to_end,
    ;
    ON_ONE_FILE:
        jobs_are_done_whatever_the_clock_said_when_they_were_done_last,
        each_job_is_done_once_on_a_file_that_nobody_runs,
        what_cannot_be_done_is_said_in_a_sentence,
        days_that_nobody_counted_are_counted_by_the_ranking_job,
        a_request_for_a_coupon_that_a_crash_left_behind_is_decided_without_a_server,
        a_ranking_is_rebuilt_beside_a_running_server,
        a_gate_is_rebuilt_by_the_server_that_has_it_and_by_none_where_nobody_runs_the_shop,
}

const JOBS: [&str; 4] = ["ranking", "expire-orders", "sweep-coupons", "housekeeping"];

/// Checks that a job says in one line what it did.
fn is_one_line_of(job: &str, answer: &str) {
    assert!(answer.starts_with(&format!("{job}: ")) && answer.trim_end().lines().count() == 1, "{answer:?}");
}

async fn each_job_is_done_once_on_a_file_that_nobody_runs() {
    let file = ClosedShop::demo(&[]).await;
    for job in JOBS {
        is_one_line_of(job, &file.scheduler(&["--once", job]).await.ended(0));
        file.admin(&["audit"]).await.ended(0);
    }
}

async fn each_job_is_done_once_beside_a_running_server() {
    let shop = Shop::demo().await;
    let ranking = shop.client().read("/api/products/rank/100").await;
    for job in JOBS {
        is_one_line_of(job, &Said::by(shop.scheduler().args(["--once", job])).await.ended(0));
    }
    assert_eq!(shop.client().read("/api/products/rank/100").await, ranking);
    shop.closes_clean().await;
}

async fn what_cannot_be_done_is_said_in_a_sentence() {
    let file = ClosedShop::demo(&["--time-zone", "Asia/Seoul"]).await;
    let unknown = file.scheduler(&["--once", "tidy"]).await.refused(2);
    assert!(JOBS.iter().all(|job| unknown.contains(job)), "{unknown}");
    let elsewhere = file.scheduler(&["--once", "ranking"]).await.refused(2);
    assert!(elsewhere.contains("--time-zone Asia/Seoul"), "{elsewhere}");
    let nothing = Place::file();
    Said::by(nothing.command(SCHEDULER).args(["--once", "ranking"])).await.refused(3);
    is_one_line_of("ranking", &file.scheduler(&["--once", "ranking", "--time-zone", "Asia/Seoul"]).await.ended(0));
    file.admin(&["audit"]).await.ended(0);
}

async fn days_that_nobody_counted_are_counted_by_the_ranking_job() {
    let file = ClosedShop::demo(&[]).await;
    let sold = file.number("SELECT SUM(units) FROM ranked_products").await;
    // As if nobody had run the shop since before the day of its first sale.
    file.tamper(
        "DELETE FROM board_days; DELETE FROM board_orders; DELETE FROM board_units; DELETE FROM rankings; DELETE FROM ranked_products;",
    )
    .await;

    assert_eq!(file.scheduler(&["--once", "ranking"]).await.ended(0), "ranking: 5 boards and rankings were made\n");

    assert_eq!(file.number("SELECT SUM(units) FROM ranked_products").await, sold);
    file.admin(&["audit"]).await.ended(0);
    assert_eq!(file.scheduler(&["--once", "ranking"]).await.ended(0), "ranking: 0 boards and rankings were made\n");
}

async fn an_overdue_order_is_ended_and_gives_back_its_stock_without_a_server() {
    let shop = Shop::start(&["--auth", "off", "--payment-deadline", "2s"]).await;
    let ware = shop.ware(2_000, 3).await;
    let order = shop.customer("slow one").await.payable_order(ware, 2).await;
    let file = shop.stop().await;

    eventually("the order is overdue", async || {
        file.scheduler(&["--once", "expire-orders"]).await.ended(0) == "expire-orders: 1 orders were ended\n"
    })
    .await;

    file.admin(&["audit"]).await.ended(0);
    let shop = Shop::on(file, &["--auth", "off"]).await;
    assert_eq!(shop.client().read(&format!("/api/orders/{order}")).await["status"], "EXPIRED");
    assert_eq!(shop.stock(ware).await, 3);
    shop.closes_clean().await;
}

async fn jobs_are_done_whatever_the_clock_said_when_they_were_done_last() {
    let file = ClosedShop::demo(&[]).await;
    // As if a process whose clock was a thousand years ahead had done them, and had ended while it counted the sales of the days.
    file.tamper(
        "INSERT INTO fences (lock_name, number) VALUES ('job-expire-orders', 33330000000000);
            UPDATE board_days SET whole = 0, fence = 33330000000000;",
    )
    .await;

    let shop = Shop::on(file, &["--auth", "off", "--payment-deadline", "1s"]).await;
    let ware = shop.ware(2_000, 3).await;
    let mut buyer = shop.buyer(1);
    let order = buyer.payable_order(ware, 2).await;
    buyer.until(order, "EXPIRED").await;
    eventually("the stock is back", async || shop.stock(ware).await == 3).await;
    let file = shop.stop().await;

    assert_eq!(file.number("SELECT COUNT(*) FROM board_days WHERE whole = 0").await, 0);
    file.admin(&["audit"]).await.ended(0);
}

async fn a_request_for_a_coupon_that_a_crash_left_behind_is_decided_without_a_server() {
    let file = ClosedShop::demo(&[]).await;
    let coupon = file.number("SELECT id FROM coupons WHERE initial_stock = 100").await;
    file.tamper(&format!(
        "INSERT INTO coupon_requests (task_id, coupon_id, user_id, user_coupon_id, place, admitted_at, status)
            VALUES (900000, {coupon}, 7, 900000, 1, 1000, 'PENDING');"
    ))
    .await;

    let done = file.scheduler(&["--once", "sweep-coupons"]).await.ended(0);

    assert_eq!(done, "sweep-coupons: 1 requests for coupons were asked for again\n");
    assert_eq!(file.number("SELECT COUNT(*) FROM user_coupons WHERE user_id = 7 AND place = 1").await, 1);
    file.admin(&["audit"]).await.ended(0);
}

async fn a_scheduler_that_runs_on_tells_operators_that_it_is_well_until_it_is_told_to_end() {
    let shop = Shop::demo().await;
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let mut command = shop.scheduler();
    let mut child =
        command.args(["--ops-listen", &free.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be run");
    let mut operator = Client::to(free);
    for path in ["/healthz", "/readyz", "/metrics"] {
        eventually("it listens", async || operator.try_send("GET", path, &[], b"").await.is_ok_and(|answer| answer.status() == 200)).await;
    }
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a process id");
    kill_process(id, Signal::TERM).expect("a process of ours can be signalled");
    let ended = timeout(PATIENCE, child.wait()).await.expect("it ends in time").expect("it can be waited for");
    assert_eq!(ended.code(), Some(0));
    shop.closes_clean().await;
}

async fn a_ranking_is_rebuilt_beside_a_running_server() {
    let shop = Shop::demo().await;
    let ranking = shop.client().read("/api/products/rank/100").await;
    let rebuilt = Said::by(shop.admin().arg("rebuild-ranking")).await;
    assert!(rebuilt.messages.lines().all(|line| line.starts_with("ranking: ")), "{}", rebuilt.messages);
    let rebuilt = rebuilt.ended(0);
    assert!(rebuilt.lines().count() == 4 && rebuilt.lines().all(|line| line.ends_with(" sales")), "{rebuilt}");
    let day = rebuilt.split(':').next().expect("a day");
    assert_eq!(Said::by(shop.admin().args(["rebuild-ranking", "--day", day])).await.ended(0).lines().count(), 1);
    Said::by(shop.admin().args(["rebuild-ranking", "--day", "2020-01-01"])).await.refused(2);
    Said::by(shop.admin().args(["rebuild-ranking", "--day", "yesterday"])).await.refused(2);
    assert_eq!(shop.client().read("/api/products/rank/100").await, ranking);
    shop.closes_clean().await;
}

async fn a_gate_is_rebuilt_by_the_server_that_has_it_and_by_none_where_nobody_runs_the_shop() {
    let shop = Shop::start(&["--auth", "off", "--coupon-window", "0s"]).await;
    let coupon = shop.coupon(1).await;
    let [mut first, mut second, mut third] = [shop.customer("first").await, shop.customer("second").await, shop.customer("third").await];
    first.coupon_in_hand(coupon).await;
    // An operator adds to a coupon in the file, of which its gate knows nothing.
    shop.tamper(&format!("UPDATE coupons SET initial_stock = 2 WHERE id = {coupon}")).await;
    second.ask_for(coupon).await.is_refused(400, "OUT_OF_STOCK_COUPON");
    let coupon_id = coupon.to_string();

    let rebuilt = Said::by(shop.admin().args(["rebuild-gate", &coupon_id])).await.ended(0);

    assert_eq!(rebuilt, format!("commerce-api has rebuilt the gate of coupon {coupon}: 1 are issued\n"));
    let task = second.task_for(coupon).await;
    assert_eq!(second.outcome(task).await["position"], 2);
    third.ask_for(coupon).await.is_refused(400, "OUT_OF_STOCK_COUPON");
    Said::by(shop.admin().args(["rebuild-gate", "424242"])).await.refused(1);
    Said::by(shop.admin().args(["rebuild-gate", "first"])).await.refused(2);

    shop.audit_is_clean().await;
    let file = shop.stop().await;
    file.tamper(&format!("UPDATE coupons SET initial_stock = 3 WHERE id = {coupon}")).await;
    let nothing_to_do = file.admin(&["rebuild-gate", &coupon_id]).await.ended(0);
    assert!(nothing_to_do.contains("whenever commerce-api starts") && nothing_to_do.lines().count() == 1, "{nothing_to_do}");
    file.admin(&["rebuild-gate", "424242"]).await.refused(1);
    file.admin(&["audit"]).await.ended(0);
    let shop = Shop::on(file, &["--auth", "off"]).await;
    let (mut third, mut fourth) = (shop.buyer(third.user), shop.customer("fourth").await);
    let task = third.task_for(coupon).await;
    assert_eq!(third.outcome(task).await["position"], 3);
    fourth.ask_for(coupon).await.is_refused(400, "OUT_OF_STOCK_COUPON");
    shop.closes_clean().await;
}

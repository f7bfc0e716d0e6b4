//! What is about several processes, and about the servers they share.

use crate::buyer::eventually;
use crate::client::Client;
use crate::closed::{ClosedShop, Said};
use crate::harness::process::{NotStarted, Process, scratch_directory, store_in, unconfigured};
use crate::place::{ADMIN, API, CONSUMER, Place, SCHEDULER};
use crate::premises::Premises;
use crate::shop::Shop;
use crate::staff;
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;
use sqlx::Executor;
use std::net::{SocketAddr, TcpListener};

cases! {
    ON_SERVERS:
        a_coupon_that_is_asked_for_at_one_server_is_told_by_another,
        an_order_is_watched_at_one_server_while_it_is_paid_at_another,
        a_token_of_one_server_is_good_at_the_other,
        what_a_server_needs_is_on_the_command_line_or_is_said_to_be_missing,
        a_server_that_is_not_there_is_named_and_no_secret_is,
        a_schema_of_another_version_is_said_and_nothing_is_started,
        a_password_is_nowhere_to_be_read,
        every_process_tells_operators_what_it_needs,
        how_far_consumers_are_behind_is_a_metric,
        groups_are_shared_out_among_consumers,
        an_overdue_order_ends_once_although_two_schedulers_look,
        gates_and_boards_that_were_lost_are_rebuilt_by_an_operator,
        gates_that_were_lost_open_by_themselves,
        topics_are_made_once,
        another_time_zone_is_refused_until_an_operator_changes_it,
}

/// The answer of a program for the shop at a place.
async fn says(place: &Place, program: &str, arguments: &[&str]) -> Said {
    Said::by(place.command(program).args(arguments)).await
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

async fn a_coupon_that_is_asked_for_at_one_server_is_told_by_another() {
    let shop = Shop::open().await;
    let coupon = shop.coupon(3).await;
    for position in 1..=3 {
        let mut buyer = shop.customer(&format!("customer {position}")).await;
        let task = buyer.task_for(coupon).await;
        let elsewhere = buyer.client.another();
        assert_ne!(elsewhere.address(), buyer.client.address());
        let mut events = elsewhere.listen(&format!("/api/coupons/publish/status/{task}"), &[]).await;
        let outcome = events.next("coupon-status").await.expect("the outcome");
        assert_eq!((&outcome["status"], &outcome["position"]), (&json!("SUCCESS"), &json!(position)));
        assert_eq!(events.next("coupon-status").await, None, "the stream ends");
    }
    shop.closes_clean().await;
}

async fn an_order_is_watched_at_one_server_while_it_is_paid_at_another() {
    let shop = Shop::open().await;
    let ware = shop.ware(1_000, 5).await;
    let mut buyer = shop.customer("watched").await;
    buyer.charge(1_000).await;
    let order = buyer.payable_order(ware, 1).await;
    let elsewhere = buyer.client.another();
    assert_ne!(elsewhere.address(), buyer.client.address());
    let mut events = elsewhere.listen(&format!("/api/orders/{order}/events"), &[]).await;
    assert_eq!(events.next("order-status").await.expect("the present state")["status"], "AWAITING_PAYMENT");
    buyer.pay(order).await.ok();
    assert_eq!(events.next("order-status").await.expect("the change")["status"], "COMPLETED");
    assert_eq!(events.next("order-status").await, None, "the stream ends");
    shop.closes_clean().await;
}

async fn a_token_of_one_server_is_good_at_the_other() {
    let shop = Shop::start(&["--demo"]).await;
    let mut here = shop.client().log_in("customer1@commerce.example", "commerce-demo").await;
    let mut there = here.another();
    assert_ne!(here.address(), there.address());
    for client in [&mut here, &mut there] {
        assert_eq!(client.read("/api/users/1").await["email"], "customer1@commerce.example");
    }
    shop.closes_clean().await;
}

async fn what_a_server_needs_is_on_the_command_line_or_is_said_to_be_missing() {
    let place = Place::new().await;
    let given = place.premises().arguments();
    let [store, redis, kafka] = [1, 3, 5].map(|at| given[at].as_str());
    let directory = scratch_directory();
    let file = store_in(directory.path());
    let key = place.token_key().expect("a key").display().to_string();
    let wrong: [(&str, &[&str], &[&str]); 9] = [
        (API, &["--store", store, "--auth-secret-file", &key], &["--redis", "--kafka"]),
        (API, &["--store", store, "--redis", redis, "--auth-secret-file", &key], &["--kafka"]),
        (API, &["--store", store, "--kafka", kafka, "--auth-secret-file", &key], &["--redis"]),
        (API, &["--store", store, "--redis", redis, "--kafka", kafka], &["--auth-secret-file"]),
        (API, &["--store", &file, "--redis", redis], &["--redis", "SQLite"]),
        (API, &["--store", &file, "--kafka", kafka], &["--kafka", "SQLite"]),
        (CONSUMER, &["--store", &file], &["commerce-api"]),
        (CONSUMER, &["--store", store, "--redis", redis, "--kafka", kafka, "--groups", "stock,stocks"], &["stocks", "coupon-issuer"]),
        (ADMIN, &["topics", "--store", &file], &["topics"]),
    ];
    for (program, arguments, mentioned) in wrong {
        let message = Said::by(unconfigured(program).args(arguments)).await.refused(2);
        assert!(mentioned.iter().all(|word| message.contains(word)), "{arguments:?}: {message}");
    }
}

async fn a_server_that_is_not_there_is_named_and_no_secret_is() {
    const SECRET: &str = "s3cr3t-pass";
    let place = Place::new().await;
    let nobody = free_address();
    let [mysql, redis, kafka] = [format!("mysql://root:{SECRET}@{nobody}/shop"), format!("redis://:{SECRET}@{nobody}"), nobody.to_string()];
    for (option, value, name) in [("--store", mysql, "MySQL"), ("--redis", redis, "Redis"), ("--kafka", kafka, "Kafka")] {
        let mut arguments = place.premises().arguments();
        let at = arguments.iter().position(|it| it == option).expect("the option");
        arguments[at + 1] = value;
        let programs: [(&str, &[&str]); 4] = [
            (API, &["--auth", "off", "--listen", "127.0.0.1:0"]),
            (CONSUMER, &[]),
            (SCHEDULER, &["--once", "ranking"]),
            (ADMIN, &["audit"]),
        ];
        let refusals =
            join_all(programs.map(async |(program, more)| Said::by(unconfigured(program).args(&arguments).args(more)).await.refused(3)));
        for message in refusals.await {
            assert!(message.contains(name) && !message.contains(SECRET), "{option}: {message}");
            assert_eq!(message.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{message}");
        }
    }
}

async fn a_schema_of_another_version_is_said_and_nothing_is_started() {
    let place = Place::new().await;
    let mut database = place.premises().database().await;
    let programs: [(&str, &[&str]); 4] =
        [(API, &["--auth", "off", "--listen", "127.0.0.1:0"]), (CONSUMER, &[]), (SCHEDULER, &[]), (ADMIN, &["audit"])];
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, '', 0)";
    for (tamper, said) in [(later, "newer"), ("DELETE FROM _sqlx_migrations WHERE version >= 19", "migrate")] {
        database.execute(tamper).await.expect("it is written");
        for (program, arguments) in programs {
            let message = says(&place, program, arguments).await.refused(3);
            assert!(message.contains(said), "{program}: {message}");
        }
    }
}

async fn a_password_is_nowhere_to_be_read() {
    const SECRET: &str = "s3cr3t/pass@word";
    const WRITTEN: &str = "s3cr3t%2Fpass%40word";
    let place = Place::new().await;
    let premises = place.premises();
    let user = premises.user(SECRET).await;
    let password_file = place.directory().join("password");
    std::fs::write(&password_file, format!("{SECRET}\n")).expect("a file");
    let password_file = password_file.display().to_string();
    let with = |login: &str| {
        let mut arguments = premises.arguments();
        arguments[1] = arguments[1].replace("//root@", &format!("//{login}@"));
        arguments
    };
    // On the command line it works, with a warning; in a file, without.
    for (login, more, warned) in
        [(format!("{user}:{WRITTEN}"), vec![], true), (user.clone(), vec!["--store-password-file", &password_file], false)]
    {
        let log = place.log_of(if warned { "readable" } else { "unreadable" });
        let mut command = unconfigured(API);
        command.env("RUST_LOG", "trace").args(with(&login)).args(more).args(["--auth", "off", "--listen", "127.0.0.1:0"]);
        let (server, address) = Process::start(command, &log, "listening on http://").await.expect("it starts");
        let mut client = Client::to(address.parse().expect("an address"));
        client.read("/api/products").await;
        let mut told = String::new();
        for path in ["/readyz", "/metrics", "/healthz"] {
            told.push_str(&client.get(path).await.text());
        }
        server.signal(Signal::TERM);
        assert!(server.ended().await.success());
        let log = std::fs::read_to_string(log).expect("a log");
        assert_eq!(log.contains("others on this machine can read the password in --store"), warned, "{log}");
        for text in [&told, &log] {
            assert!(!text.contains(SECRET) && !text.contains(WRITTEN), "{text}");
        }
    }
    let refused = Said::by(unconfigured(ADMIN).args(with(&format!("{user}:{WRITTEN}x"))).arg("audit")).await.refused(3);
    assert!(!refused.contains(WRITTEN) && !refused.contains(SECRET), "{refused}");
    premises.forget_user(&user).await;
}

async fn every_process_tells_operators_what_it_needs() {
    let shop = Shop::open().await;
    let places = [free_address(), free_address(), free_address()];
    let listen = |at: SocketAddr| ["--ops-listen".to_owned(), at.to_string()];
    let [consumer, scheduler, api] = places.map(listen);
    let api = staff::api(shop.place(), "api-3", &api.each_ref().map(String::as_str)).await.expect("it starts");
    let consumer = staff::consumer(shop.place(), "consumer-3", &consumer.each_ref().map(String::as_str)).await.expect("it starts");
    let scheduler = staff::scheduler(shop.place(), "scheduler-3", &scheduler.each_ref().map(String::as_str)).await.expect("it starts");
    for mut operator in places.map(Client::to).into_iter().chain([shop.client(), shop.client()]) {
        let ready = operator.get("/readyz").await;
        assert_eq!((ready.status(), ready.text().as_str()), (200, "store: up\nredis: up\nkafka: up\nserver: up\n"));
        assert_eq!(operator.get("/healthz").await.status(), 200);
        assert!(operator.get("/metrics").await.text().contains("commerce_dependency_up{dependency=\"kafka\"} 1"));
    }
    Client::to(api.address).get("/readyz").await.is_refused(404, "RESOURCE_NOT_FOUND");
    for process in [consumer, scheduler, api.process] {
        process.signal(Signal::TERM);
        assert!(process.ended().await.success());
    }
    shop.closes_clean().await;
}

async fn how_far_consumers_are_behind_is_a_metric() {
    let shop = Shop::demo().await;
    let address = free_address();
    let consumer = staff::consumer(shop.place(), "consumer-3", &["--ops-listen", &address.to_string()]).await.expect("it starts");
    let mut operator = Client::to(address);
    eventually("every group is known to be up to date", async || {
        let metrics = operator.get("/metrics").await.text();
        let behind = |group| metrics.contains(&format!("commerce_consumer_lag_events{{group=\"{group}\"}} 0\n"));
        ["stock", "coupon", "order", "notification", "coupon-issuer", "coupon-gate", "ranking"].into_iter().all(behind)
    })
    .await;
    consumer.signal(Signal::TERM);
    assert!(consumer.ended().await.success());
    shop.closes_clean().await;
}

async fn groups_are_shared_out_among_consumers() {
    // Given a shop whose events are handled by two consumers, each for some groups,
    let place = Place::new().await;
    let server = staff::api(&place, "api", &["--auth", "off"]).await.unwrap_or_else(|NotStarted { messages, .. }| panic!("{messages}"));
    let mut consumers = Vec::new();
    for groups in ["stock,coupon,order,notification", "coupon-issuer,coupon-gate,ranking"] {
        let mut command = place.command(CONSUMER);
        command.args(["--groups", groups]);
        let (consumer, handled) = Process::start(command, &place.log_of("consumer"), "handling events for ").await.expect("it starts");
        assert_eq!(handled, groups.replace(',', ", "));
        consumers.push(consumer);
    }
    // when somebody buys something with a coupon,
    let mut client = Client::to(server.address);
    let registration = json!({ "name": "somebody", "email": "a@shop.example", "password": "a long password" });
    let user = client.post("/api/users", &registration).await.ok()["id"].clone();
    let coupon = json!({
        "name": "First come", "couponType": "FIXED", "discountValue": 500, "initialStock": 10, "expireAt": "2099-01-01T00:00:00Z",
    });
    let coupon = client.post("/api/coupons", &coupon).await.ok()["couponId"].clone();
    let told = client.post_with("/api/coupons/publish", &json!({ "userId": user, "couponId": coupon }), &[("prefer", "wait=30")]).await;
    assert_eq!(told.ok()["status"], "SUCCESS", "{told}");
    // then everything is handled in the end.
    eventually("the audit is clean", async || says(&place, ADMIN, &["audit"]).await.code == Some(0)).await;
    server.signal(Signal::TERM);
    for consumer in &consumers {
        consumer.signal(Signal::TERM);
    }
    assert!(server.ended().await.success());
    for consumer in consumers {
        assert!(consumer.ended().await.success(), "{}", place.logs());
    }
    says(&place, ADMIN, &["audit"]).await.ended(0);
}

async fn an_overdue_order_ends_once_although_two_schedulers_look() {
    let shop = Shop::start(&["--auth", "off", "--payment-deadline", "1s"]).await;
    let ware = shop.ware(2_000, 40).await;
    let buyer = shop.customer("slow one").await;
    let orders = join_all((0..40).map(async |_| buyer.another().order(ware, 1).await)).await;
    for order in orders {
        buyer.another().until(order, "EXPIRED").await;
    }
    eventually("the stock is back", async || shop.stock(ware).await == 40).await;
    let released = format!("SELECT COUNT(*) FROM stock_entries WHERE option_id = {} AND kind = 'RELEASE'", ware.option);
    assert_eq!(shop.place().premises().number(&released).await, 40);
    shop.closes_clean().await;
}

async fn gates_and_boards_that_were_lost_are_rebuilt_by_an_operator() {
    let place = Place::new().await;
    says(&place, ADMIN, &["demo"]).await.ended(0);
    says(&place, ADMIN, &["audit"]).await.ended(0);
    let premises: &Premises = place.premises();
    let coupon = premises.number("SELECT MAX(coupon_id) FROM user_coupons").await.to_string();
    premises.forget_keys().await;
    let gate = says(&place, ADMIN, &["rebuild-gate", &coupon]).await.ended(0);
    assert!(gate.contains(&format!("the gate of coupon {coupon} is open and knows of 10 places")), "{gate}");
    says(&place, ADMIN, &["rebuild-gate", "424242"]).await.refused(1);
    let sales = says(&place, ADMIN, &["rebuild-ranking"]).await.ended(0);
    let counted: Vec<i64> = sales.lines().filter_map(|line| line.split(' ').nth(1)?.parse().ok()).collect();
    assert_eq!(counted.iter().sum::<i64>(), premises.number("SELECT COUNT(*) FROM payments WHERE status = 'COMPLETED'").await, "{sales}");
    says(&place, ADMIN, &["audit"]).await.ended(0);
}

async fn gates_that_were_lost_open_by_themselves() {
    let shop = Shop::open().await;
    let coupon = shop.coupon(2).await;
    let mut first = shop.customer("first").await;
    let task = first.task_for(coupon).await;
    assert_eq!(first.outcome(task).await["position"], 1);
    shop.place().premises().forget_keys().await;
    let mut second = shop.customer("second").await;
    let mut task = None;
    eventually("the gate is open again", async || {
        let answer = second.ask_for(coupon).await;
        if answer.status() == 503 {
            assert!(answer.head.header("retry-after").is_some(), "{answer}");
            return false;
        }
        assert_eq!(answer.status(), 202, "{answer}");
        task = answer.ok()["taskId"].as_i64();
        true
    })
    .await;
    assert_eq!(second.outcome(task.expect("an id")).await["position"], 2);
    shop.customer("third").await.ask_for(coupon).await.is_refused(400, "OUT_OF_STOCK_COUPON");
    shop.closes_clean().await;
}

async fn topics_are_made_once() {
    let place = Place::new().await;
    let again = says(&place, ADMIN, &["topics", "--partitions", "2"]).await.ended(0);
    assert!(again.lines().count() == 6 && again.lines().all(|line| line.contains("is there with 2 partitions")), "{again}");
    let more = says(&place, ADMIN, &["topics", "--partitions", "3"]).await.ended(0);
    assert!(more.lines().all(|line| line.contains("2 partitions") && line.contains("left as it is")), "{more}");
    for wrong in [&["topics", "--partitions", "0"][..], &["topics", "--replicas", "none"]] {
        says(&place, ADMIN, wrong).await.refused(2);
    }
}

async fn another_time_zone_is_refused_until_an_operator_changes_it() {
    const ELSEWHERE: &[&str] = &["--time-zone", "America/Los_Angeles"];
    let shop = Shop::start(&["--demo", "--auth", "off", "--time-zone", "Asia/Seoul"]).await;
    let ranked = async |shop: &Shop| shop.client().read("/api/products/rank/100").await.as_array().expect("a list").len();
    assert!(ranked(&shop).await >= 8);
    let closed = shop.stop().await;
    let place = closed.into_place();
    let programs: [(&str, &[&str]); 4] =
        [(API, &["--auth", "off", "--listen", "127.0.0.1:0"]), (CONSUMER, &[]), (SCHEDULER, &[]), (ADMIN, &["rebuild-ranking"])];
    for (program, arguments) in programs {
        let message = says(&place, program, &[arguments, ELSEWHERE].concat()).await.refused(2);
        assert!(message.contains("Asia/Seoul"), "{message}");
    }
    says(&place, ADMIN, &[&["rebuild-ranking", "--change-time-zone"], ELSEWHERE].concat()).await.ended(0);
    let shop = Shop::on(ClosedShop::at(place), &["--auth", "off", "--time-zone", "America/Los_Angeles"]).await;
    assert!(ranked(&shop).await >= 8);
    shop.closes_clean().await;
}

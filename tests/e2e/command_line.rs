//! What an operator types, and the exit codes it comes to.

use crate::buyer::eventually;
use crate::client::Client;
use crate::closed::ClosedShop;
use crate::harness::process::{NotStarted, Server, admin, scratch_directory};
use crate::place::{ADMIN, API, Place};
use crate::shop::Shop;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

cases! {
    EVERYWHERE:
        an_administrator_made_beside_the_server_can_log_in,
        the_demo_shop_is_as_described_and_filled_once,
        a_request_in_flight_is_finished_before_the_server_ends,
        a_second_signal_ends_a_server_at_once,
        event_streams_end_when_the_server_does,
    ;
    ON_ONE_FILE:
        a_server_that_drains_serves_on_and_says_that_it_is_not_ready,
        a_signal_breaks_off_a_start,
        options_that_cannot_be_end_with_2,
        what_is_not_there_ends_with_3,
        the_operators_tool_says_how_it_went_by_its_exit_code,
        the_operators_tool_does_its_work_whether_or_not_anybody_reads_on,
}

/// Starts a server that must not start; answers its exit code and what it said.
async fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let directory = scratch_directory();
    match Server::start(directory.path(), arguments).await {
        Err(NotStarted { code, messages }) => (code, messages),
        Ok(_) => panic!("it started with {arguments:?}"),
    }
}

fn is_one_sentence(messages: &str) -> bool {
    !messages.trim().is_empty() && !messages.contains("panicked") && !messages.contains("stack backtrace")
}

async fn options_that_cannot_be_end_with_2() {
    let wrong: [&[&str]; 14] = [
        &["--nonsense"],
        &["surplus"],
        &["--payment-deadline", "soon"],
        &["--payment-deadline", "0s"],
        &["--coupon-window", "3"],
        &["--drain", "2m"],
        &["--auth", "maybe"],
        &["--durability", "none"],
        &["--time-zone", "Middle/Earth"],
        &["--log", "loud"],
        &["--listen", "nowhere"],
        &["--listen", "127.0.0.1:65536"],
        // An address of the documentation block: no machine has it, so nothing is opened should it not be refused.
        &["--listen", "192.0.2.1:0", "--auth", "off"],
        &["--listen", "192.0.2.1:0", "--demo"],
    ];
    for arguments in wrong {
        let (code, messages) = refused(arguments).await;
        assert_eq!(code, Some(2), "{arguments:?}: {messages}");
        assert!(is_one_sentence(&messages), "{arguments:?}: {messages}");
    }
}

async fn what_is_not_there_ends_with_3() {
    let shop = Shop::open().await;
    let Err(NotStarted { code, messages }) = shop.another_server(&[]).await else { panic!("two servers share a file") };
    assert_eq!(code, Some(3), "{messages}");
    assert!(is_one_sentence(&messages), "{messages}");

    let taken = shop.address().to_string();
    let (code, messages) = refused(&["--listen", &taken]).await;
    assert_eq!(code, Some(3), "{messages}");
    assert!(messages.contains(&taken), "{messages}");

    let (code, messages) = refused(&["--listen", "192.0.2.1:0"]).await;
    assert_eq!(code, Some(3), "{messages}");
    shop.closes_clean().await;
}

async fn the_operators_tool_says_how_it_went_by_its_exit_code() {
    let directory = scratch_directory();
    let operate = async |arguments: &[&str]| {
        let output = admin(directory.path()).args(arguments).output().await.expect("it can be run");
        let Output { status, stdout, stderr } = output;
        (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    };
    for wrong in [&[][..], &["nonsense"], &["audit", "--nonsense"], &["dead-letters"], &["create-admin"]] {
        assert_eq!(operate(wrong).await.0, Some(2), "{wrong:?}");
    }
    let (code, said) = operate(&["audit"]).await;
    assert_eq!(code, Some(3), "an audit of nothing could not look: {said}");
    for done in [&["migrate"][..], &["migrate"], &["audit"], &["demo"], &["demo"], &["audit"], &["dead-letters", "list"], &["--help"]] {
        let (code, said) = operate(done).await;
        assert_eq!(code, Some(0), "{done:?}: {said}");
    }
}

/// As `commerce-admin audit | head -1` may have it, and `commerce-admin audit 2>&1 | head -1`.
async fn the_operators_tool_does_its_work_whether_or_not_anybody_reads_on() {
    let shop = ClosedShop::demo(&[]).await;
    shop.tamper("UPDATE point_accounts SET balance = balance + 1").await;
    let place = shop.into_place();
    let unread = || {
        let (gone, pipe) = std::io::pipe().expect("a pipe");
        drop(gone);
        pipe
    };
    let audit = place.command(ADMIN).arg("audit").stdout(unread()).stderr(Stdio::piped()).spawn().expect("it can be run");
    let Output { status, stderr, .. } = audit.wait_with_output().await.expect("it ends");
    let messages = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{messages}");
    assert!(messages.contains("error: the audit found ") && is_one_sentence(&messages), "{messages}");
    let status = place.command(ADMIN).arg("audit").stdout(unread()).stderr(unread()).status().await.expect("it can be run");
    assert_eq!(status.code(), Some(1));
}

async fn an_administrator_made_beside_the_server_can_log_in() {
    let shop = Shop::start(&[]).await;
    let make = || async {
        let mut command = shop.admin();
        command.args(["create-admin", "--name", "Boss", "--email", "boss@shop.example"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(b"a long password\n").await.expect("it reads the password");
        drop(stdin);
        child.wait_with_output().await.expect("it ends").status.code()
    };
    assert_eq!(make().await, Some(0));
    let mut boss = shop.client().log_in("boss@shop.example", "a long password").await;
    let option = json!({ "name": "one size", "price": 1_000, "stock": 5 });
    let product = json!({ "name": "Shoe", "category": "SHOES", "description": "A pair of shoes.", "options": [option] });
    assert_eq!(boss.post("/api/products", &product).await.status(), 201);
    assert_ne!(make().await, Some(0), "the address is taken");
    shop.closes_clean().await;
}

async fn the_demo_shop_is_as_described_and_filled_once() {
    let shop = Shop::start(&["--demo"]).await;
    let facts = facts(&shop).await;

    let customer = shop.client().log_in("customer2000@commerce.example", "commerce-demo").await.read("/api/users/2000").await;
    assert_eq!(customer["email"], "customer2000@commerce.example");
    let mut admin = shop.client().log_in("admin@commerce.example", "commerce-admin").await;
    assert_eq!(admin.read("/api/users/1").await["email"], "customer1@commerce.example");

    let products = facts["products"]["items"].as_array().expect("a list");
    assert_eq!(products.len(), 12);
    let mut categories: Vec<_> = products.iter().map(|product| product["productCategory"].to_string()).collect();
    categories.sort();
    categories.dedup();
    assert_eq!(categories, ["\"BEAUTY\"", "\"CLOTHING\"", "\"DIGITAL\"", "\"FOOD\"", "\"SHOES\""]);
    assert!(products.iter().all(|product| matches!(product["productOptions"].as_array().map(Vec::len), Some(1..=4))));
    let options: Vec<_> = products.iter().flat_map(|product| product["productOptions"].as_array().expect("a list")).collect();
    assert!(options.iter().all(|option| matches!(option["price"].as_i64(), Some(1_000..=250_000))), "{options:?}");
    let (sold_out, left): (Vec<_>, Vec<_>) = options.into_iter().partition(|option| option["soldOut"] == true);
    assert!(sold_out.len() == 1 && sold_out[0]["stock"] == 0, "{sold_out:?}");
    assert!(left.iter().all(|option| option["stock"].as_i64() >= Some(100_000)), "{left:?}");

    let ranking = facts["ranking"].as_array().expect("a list");
    assert!(ranking.len() >= 8, "{ranking:?}");
    let sold: Vec<_> = ranking.iter().map(|product| product["totalSold"].as_i64()).collect();
    assert!(sold.is_sorted_by(|one, next| one >= next), "{ranking:?}");

    let coupons = facts["coupons"]["items"].as_array().expect("a list");
    let coupon = |kind: &str, stock: i64| coupons.iter().any(|coupon| coupon["couponType"] == kind && coupon["initialStock"] == stock);
    assert!(coupons.len() >= 4 && coupon("PERCENT", 1_000) && coupon("FIXED", 100), "{coupons:?}");
    assert!(coupons.iter().any(|coupon| coupon["remaining"] == 0), "{coupons:?}");

    let shop = shop.restart().await;
    assert_eq!(self::facts(&shop).await, facts, "a second --demo changes nothing");
    shop.closes_clean().await;
}

async fn facts(shop: &Shop) -> Value {
    let mut client = shop.client();
    let products = client.read("/api/products?limit=100").await;
    let ranking = client.read("/api/products/rank/100").await;
    json!({ "products": products, "ranking": ranking, "coupons": client.read("/api/coupons").await })
}

/// A connection to a server on which the header of a charge was sent, and not its body: the request is in flight.
async fn charge_in_flight(shop: &Shop, user: i64, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(shop.address()).await.expect("a connection");
    let (path, length) = (format!("/api/users/{user}/points"), body.len());
    let head = format!("POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}expect: 100-continue\r\n\r\n").as_bytes()).await.expect("it is sent");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.expect("the server asks for the body");
    assert!(go_on.starts_with(b"HTTP/1.1 100"));
    stream
}

/// Waits until a server that was told to end says so.
async fn no_longer_ready(shop: &Shop) {
    let address = shop.address();
    eventually("the server is not ready any more", async || {
        Client::to(address).try_send("GET", "/readyz", &[], b"").await.is_ok_and(|answer| answer.status() == 503)
    })
    .await;
}

async fn a_request_in_flight_is_finished_before_the_server_ends() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("late one").await;
    buyer.charge(1_000).await;
    let (user, body) = (buyer.user, json!({ "chargePoint": 4_000 }).to_string());
    let mut stream = charge_in_flight(&shop, user, &body).await;

    shop.signal(Signal::TERM);
    no_longer_ready(&shop).await;
    let refused = Client::to(shop.address()).try_send("GET", "/api/products/1", &[], b"").await.expect("an answer");
    assert_eq!(refused.status(), 503);
    stream.write_all(body.as_bytes()).await.expect("the connection is open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer, then the end of the connection");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("5000"), "{answer}");

    let shop = shop.restart_ended().await;
    assert_eq!(shop.buyer(user).balance().await, 5_000);
    shop.closes_clean().await;
}

async fn a_second_signal_ends_a_server_at_once() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("forgotten one").await;
    buyer.charge(1_000).await;
    let user = buyer.user;
    // Without the second signal the server would wait for this request until the deadline of its end, for 10 seconds.
    let _in_flight = charge_in_flight(&shop, user, &json!({ "chargePoint": 4_000 }).to_string()).await;
    shop.signal(Signal::TERM);
    no_longer_ready(&shop).await;

    let told = Instant::now();
    shop.signal(Signal::TERM);
    let shop = shop.ended().await;
    assert!(told.elapsed() < Duration::from_secs(9), "it took {:?}", told.elapsed());

    let shop = Shop::on(shop, &["--auth", "off"]).await;
    assert_eq!(shop.buyer(user).balance().await, 1_000);
    shop.closes_clean().await;
}

async fn a_server_that_drains_serves_on_and_says_that_it_is_not_ready() {
    let shop = Shop::start(&["--auth", "off", "--drain", "5s"]).await;
    let mut buyer = shop.customer("late one").await;
    let told = Instant::now();
    shop.signal(Signal::TERM);
    no_longer_ready(&shop).await;
    buyer.charge(1_000).await;
    let user = buyer.user;
    let closed = shop.ended().await;
    assert!(told.elapsed() >= Duration::from_secs(5), "it ended after {:?}", told.elapsed());

    let shop = Shop::on(closed, &["--auth", "off"]).await;
    assert_eq!(shop.buyer(user).balance().await, 1_000);
    shop.closes_clean().await;
}

async fn a_signal_breaks_off_a_start() {
    let place = Place::file();
    let mut server = place.command(API);
    server.args(["--listen", "127.0.0.1:0", "--demo"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = server.spawn().expect("it can be run");
    let file = place.directory().join("commerce.db");
    eventually("the start has begun", async || file.exists()).await;
    // The demo shop is filled before anybody is served, which takes a while.
    let id = server.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
    kill_process(id, Signal::TERM).expect("it can be told");
    let mut said = String::new();
    server.stdout.take().expect("a pipe").read_to_string(&mut said).await.expect("it ends");
    let status = server.wait().await.expect("it can be waited for");
    assert!(status.success() && said.is_empty(), "{status:?} after {said:?}");

    // The next start goes on with it.
    let shop = Shop::on(ClosedShop::at(place), &["--demo", "--auth", "off"]).await;
    assert_eq!(shop.client().read("/api/users/2000").await["email"], "customer2000@commerce.example");
    shop.closes_clean().await;
}

async fn event_streams_end_when_the_server_does() {
    let shop = Shop::open().await;
    let ware = shop.ware(1_000, 5).await;
    let mut buyer = shop.customer("watcher").await;
    let order = buyer.payable_order(ware, 1).await;
    let (head, mut stream) = buyer.another().client.stream(&format!("/api/orders/{order}/events"), &[]).await;
    assert_eq!(head.status, 200);
    assert!(!stream.chunk().await.expect("the present state").is_empty());

    shop.signal(Signal::TERM);

    while !stream.chunk().await.expect("a proper end").is_empty() {}
    shop.restart_ended().await.closes_clean().await;
}

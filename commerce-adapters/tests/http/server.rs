use crate::shop::{TestShop, bearer, order};
use commerce_adapters::http::{HttpOptions, ServerLimits, serve};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

const LONG: Duration = Duration::from_secs(10);

async fn serving(shop: &TestShop, limits: ServerLimits) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(serve(listener, shop.router.clone(), limits, shop.stop.clone())))
}

/// Everything the server sends until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end as well.
    let _ended = timeout(LONG, stream.read_to_end(&mut text)).await.expect("the connection is closed in time");
    String::from_utf8(text).unwrap()
}

/// Reads until `end` has come.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut chunk = [0; 4_096];
    while !text.contains(end) {
        let len = timeout(LONG, stream.read(&mut chunk)).await.expect("an answer in time").unwrap();
        assert!(len > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&chunk[..len]).unwrap());
    }
    text
}

/// A connection on which a request was answered, and none followed.
async fn resting(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    until(&mut stream, "alive\n").await;
    stream
}

fn impatient() -> ServerLimits {
    let (header_deadline, idle_deadline) = (Duration::from_millis(100), Duration::from_millis(400));
    ServerLimits { header_deadline, idle_deadline, ..ServerLimits::default() }
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_header_is_cut_off() {
    let shop = TestShop::open();
    let (address, _server) = serving(&shop, impatient()).await;
    for first in ["", "GET /healthz HT"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut stream).await, "");
    }
}

#[tokio::test]
async fn a_connection_rests_between_requests_but_not_for_ever() {
    let shop = TestShop::open();
    let (address, _server) = serving(&shop, impatient()).await;
    let rested = Instant::now();
    let mut stream = resting(address).await;
    assert_eq!(rest(&mut stream).await, "");
    assert!(rested.elapsed() >= Duration::from_millis(300), "closed after {:?}", rested.elapsed());
}

#[tokio::test]
async fn a_second_header_must_not_be_slow_either() {
    let shop = TestShop::open();
    let limits = ServerLimits { idle_deadline: Duration::from_mins(1), ..impatient() };
    let (address, _server) = serving(&shop, limits).await;
    let mut stream = resting(address).await;
    stream.write_all(b"GET /he").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn requests_in_a_pipeline_are_answered_in_order() {
    let shop = TestShop::open();
    let (address, _server) = serving(&shop, ServerLimits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let pipeline = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(pipeline.as_bytes()).await.unwrap();
    let answers = rest(&mut stream).await;
    let (first, second) = (answers.find("200 OK").unwrap(), answers.find("404 Not Found").unwrap());
    assert!(first < second);
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_and_closes_what_rests() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let kim = shop.customer("kim").await;
    let (address, server) = serving(&shop, ServerLimits::default()).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut resting = resting(address).await;
    let mut busy = TcpStream::connect(address).await.unwrap();
    let body = order(kim.id, 1, 1).to_string();
    let head = format!("POST /api/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nprefer: wait=1\r\n", kim.token);
    let request = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    busy.write_all(request.as_bytes()).await.unwrap();
    let path = format!("/api/users/{}/orders", kim.id);
    while shop.get(&path, Some(&kim)).await.data()["items"].as_array().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }

    shop.stop.cancel();
    assert_eq!(rest(&mut silent).await, "");
    assert_eq!(rest(&mut resting).await, "");
    let answer = rest(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 202 Accepted"), "{answer}");
    timeout(LONG, server).await.expect("the server ends").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_that_is_on_its_way_when_the_server_is_told_to_stop_is_answered() {
    let shop = TestShop::open();
    let (address, server) = serving(&shop, ServerLimits::default()).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut resting = resting(address).await;
    // The server has accepted both by now, and closes what rests when it is told to stop.
    shop.stop.cancel();
    tokio::task::yield_now().await;
    for stream in [&mut silent, &mut resting] {
        stream.write_all(b"GET /api/products/1 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    }
    for stream in [&mut silent, &mut resting] {
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer:?}");
    }
    timeout(LONG, server).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn who_comes_just_before_the_last_request_has_finished_is_answered() {
    let shop = TestShop::open();
    let (address, server) = serving(&shop, ServerLimits::default()).await;
    let mut busy = TcpStream::connect(address).await.unwrap();
    let head = "POST /api/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    busy.write_all(head.as_bytes()).await.unwrap();
    until(&mut busy, "100 Continue").await;
    shop.stop.cancel();
    let mut latecomer = TcpStream::connect(address).await.unwrap();
    latecomer.write_all(b"GET /api/products/1 HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    // Half of its request is there when the last one of those who came before is answered.
    busy.write_all(b"{}").await.unwrap();
    assert!(rest(&mut busy).await.contains("400 Bad Request"));
    latecomer.write_all(b"\r\n").await.unwrap();
    let answer = rest(&mut latecomer).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer:?}");
    timeout(LONG, server).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off_at_the_deadline() {
    let shop = TestShop::without_consumers(HttpOptions::new(bearer()));
    let limits = ServerLimits { shutdown_deadline: Duration::from_millis(100), ..ServerLimits::default() };
    let (address, server) = serving(&shop, limits).await;
    let mut stuck = TcpStream::connect(address).await.unwrap();
    let head =
        "POST /api/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n";
    stuck.write_all(head.as_bytes()).await.unwrap();
    until(&mut stuck, "100 Continue").await;
    shop.stop.cancel();
    timeout(LONG, server).await.expect("the server ends").unwrap();
    assert_eq!(rest(&mut stuck).await, "");
}

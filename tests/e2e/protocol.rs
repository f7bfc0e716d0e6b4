//! Clients that do not speak HTTP as they should: they are turned away, and others notice nothing.

use crate::buyer::PATIENCE;
use crate::shop::Shop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

cases! {
    EVERYWHERE:
        what_is_not_http_is_turned_away,
        who_sends_nothing_or_half_a_request_is_not_waited_for,
        a_client_that_goes_away_in_the_middle_leaves_no_trace,
}

/// Sends bytes, and gives everything the server answers until it closes.
async fn exchange(shop: &Shop, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(shop.address()).await.expect("a connection");
    // A server that has seen enough may close before it has read everything.
    let _sent_or_cut_off = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _closed_or_reset = end.expect("the server closes the connection in time");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn what_is_not_http_is_turned_away() {
    let shop = Shop::open().await;
    let long_header = format!("GET /healthz HTTP/1.1\r\nhost: shop\r\nx: {}\r\n\r\n", "x".repeat(600_000));
    let many_headers = format!("GET /healthz HTTP/1.1\r\nhost: shop\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let long_path = format!("GET /{} HTTP/1.1\r\nhost: shop\r\n\r\n", "x".repeat(600_000));
    let garbage: [&[u8]; 8] = [
        b"\r\n\r\n\r\nnonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/users HTTP/1.1\r\nhost: shop\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/users HTTP/1.1\r\nhost: shop\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        long_header.as_bytes(),
        many_headers.as_bytes(),
        long_path.as_bytes(),
    ];
    for bytes in garbage {
        let answer = exchange(&shop, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    shop.client().read("/api/products").await;
    shop.closes_clean().await;
}

async fn who_sends_nothing_or_half_a_request_is_not_waited_for() {
    let shop = Shop::open().await;
    let answers = [&b""[..], b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nhost: shop\r\n"].map(|bytes| exchange(&shop, bytes));
    for answer in futures_util::future::join_all(answers).await {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    shop.closes_clean().await;
}

async fn a_client_that_goes_away_in_the_middle_leaves_no_trace() {
    let shop = Shop::open().await;
    let mut buyer = shop.customer("gone").await;
    let head = format!("POST /api/users/{}/points HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n", buyer.user);
    for _ in 0..20 {
        let mut stream = TcpStream::connect(shop.address()).await.expect("a connection");
        stream.write_all(format!("{head}content-length: 100\r\n\r\n{{\"charge").as_bytes()).await.expect("it is sent");
    }
    assert_eq!(buyer.balance().await, 0);
    let ware = shop.ware(1_000, 5).await;
    let order = buyer.payable_order(ware, 1).await;
    for _ in 0..20 {
        let (head, _stream_that_is_dropped) = buyer.another().client.stream(&format!("/api/orders/{order}/events"), &[]).await;
        assert_eq!(head.status, 200);
    }
    buyer.charge(1_000).await;
    buyer.pay(order).await.ok();
    shop.closes_clean().await;
}

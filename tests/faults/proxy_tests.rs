//! The weather is made as it is said to be: a fault that is none would prove nothing.

use super::proxy::{Conversation, Proxy, Weather};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

const SOON: Duration = Duration::from_secs(5);
const A_WHILE: Duration = Duration::from_millis(300);

/// A server that sends back what it is sent.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ended = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn echoed(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
    stream.write_all(text).await?;
    let mut back = vec![0; text.len()];
    timeout(SOON, stream.read_exact(&mut back)).await.expect("it comes back soon")?;
    assert_eq!(back, text);
    Ok(())
}

async fn connect(proxy: &Proxy) -> TcpStream {
    timeout(SOON, TcpStream::connect(proxy.address())).await.expect("in time").expect("a connection")
}

pub(crate) async fn in_clear_weather_everything_arrives_and_an_end_does_too() {
    let proxy = Proxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    echoed(&mut stream, b"hello").await.expect("it arrives");
    let much: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let (mut from, mut to) = stream.split();
    let mut back = Vec::new();
    let sending = async {
        to.write_all(&much).await?;
        to.shutdown().await
    };
    let (sent, received) = timeout(SOON, async { tokio::join!(sending, from.read_to_end(&mut back)) }).await.expect("it ends");
    assert!(sent.is_ok() && received.is_ok() && back == much, "what was sent before the end arrives, and so does the end");
}

pub(crate) async fn what_hangs_arrives_when_the_weather_clears() {
    let proxy = Proxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    echoed(&mut stream, b"before").await.expect("it arrives");
    proxy.make(Weather::Hang);
    stream.write_all(b"during").await.expect("nobody is told");
    let mut newcomer = connect(&proxy).await;
    newcomer.write_all(b"during").await.expect("nobody is told");
    let mut back = [0; 6];
    assert!(timeout(A_WHILE, stream.read_exact(&mut back)).await.is_err(), "nothing arrives");
    assert!(timeout(A_WHILE, newcomer.read_exact(&mut back)).await.is_err(), "nothing arrives");
    proxy.make(Weather::Clear);
    for stream in [&mut stream, &mut newcomer] {
        let arrived = timeout(SOON, stream.read_exact(&mut back)).await.expect("it arrives now");
        assert!(arrived.is_ok() && back == *b"during");
        echoed(stream, b"after").await.expect("it arrives");
    }
}

pub(crate) async fn a_deaf_server_is_heard_and_hears_nothing_until_the_weather_clears() {
    let proxy = Proxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    proxy.make(Weather::Slow { late_by: A_WHILE, bytes_per_second: 1_000_000 });
    stream.write_all(b"before").await.expect("it is sent");
    let mut back = [0; 6];
    assert!(timeout(A_WHILE * 3 / 2, stream.read_exact(&mut back)).await.is_err(), "the answer is on its way");
    proxy.make(Weather::Deaf);
    assert!(timeout(SOON, stream.read_exact(&mut back)).await.expect("the answer arrives").is_ok() && back == *b"before");
    stream.write_all(b"during").await.expect("nobody is told");
    assert!(timeout(A_WHILE, stream.read_exact(&mut back)).await.is_err(), "nothing arrives");
    proxy.make(Weather::Clear);
    assert!(timeout(SOON, stream.read_exact(&mut back)).await.expect("it arrives now").is_ok() && back == *b"during");
    echoed(&mut stream, b"after").await.expect("it arrives");
}

pub(crate) async fn what_bears_the_sign_does_not_arrive_until_the_weather_clears() {
    // The server has said something, and the client comes back to it.
    let sign = |said: &Conversation| said.answered.starts_with(b"your number is 7") && said.sent.ends_with(b"for number 7");
    let proxy = Proxy::that_goes_deaf(echo().await, sign).await;
    let (mut stream, mut bystander) = (connect(&proxy).await, connect(&proxy).await);
    echoed(&mut bystander, b"for number 7").await.expect("it was told nothing");
    echoed(&mut stream, b"your number is 7").await.expect("it arrives");
    assert!(proxy.heard().is_none(), "no sign was given");
    // It comes in pieces, and something else comes with it.
    echoed(&mut stream, b"hello, for num").await.expect("it arrives");
    stream.write_all(b"ber 7").await.expect("nobody is told");
    timeout(SOON, proxy.gone_deaf()).await.expect("it goes deaf by itself");
    bystander.write_all(b"during").await.expect("nobody is told");
    let mut back = [0; 5];
    for stream in [&mut stream, &mut bystander] {
        assert!(timeout(A_WHILE, stream.read_exact(&mut back)).await.is_err(), "nothing arrives");
    }
    let heard = proxy.heard().expect("the sign was given");
    assert!(heard.sent.ends_with(b"hello, for number 7") && heard.answered.ends_with(b"hello, for num"), "{heard:?}");
    proxy.make(Weather::Clear);
    assert!(timeout(SOON, stream.read_exact(&mut back)).await.expect("it arrives now").is_ok() && back == *b"ber 7");
    assert!(proxy.heard().expect("the sign was given").answered.ends_with(b"for number 7"));
    echoed(&mut stream, b"your number is 7").await.expect("it arrives");
    echoed(&mut stream, b"for number 7").await.expect("it goes deaf once");
}

pub(crate) async fn a_cut_resets_connections_and_refuses_new_ones_until_it_is_mended() {
    let proxy = Proxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    echoed(&mut stream, b"before").await.expect("it arrives");
    proxy.make(Weather::Cut);
    let cut = timeout(SOON, stream.read_u8()).await.expect("it is told at once");
    assert_eq!(cut.expect_err("it is cut").kind(), ErrorKind::ConnectionReset);
    let deadline = Instant::now() + SOON;
    while TcpStream::connect(proxy.address()).await.is_ok() {
        assert!(Instant::now() < deadline, "new connections are refused");
    }
    proxy.make(Weather::Clear);
    let mended = async {
        loop {
            if let Ok(stream) = TcpStream::connect(proxy.address()).await {
                return stream;
            }
        }
    };
    let mut stream = timeout(SOON, mended).await.expect("it is to be reached again, at the same address");
    echoed(&mut stream, b"after").await.expect("it arrives");
}

pub(crate) async fn a_slow_network_delays_each_way_and_lets_only_so_much_through() {
    let proxy = Proxy::to(echo().await).await;
    let mut stream = connect(&proxy).await;
    proxy.make(Weather::Slow { late_by: Duration::from_millis(500), bytes_per_second: 100_000 });
    let began = Instant::now();
    echoed(&mut stream, b"little").await.expect("it arrives");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let began = Instant::now();
    echoed(&mut stream, &vec![7; 20_000]).await.expect("it arrives");
    assert!(began.elapsed() >= Duration::from_millis(1_200), "{:?}", began.elapsed());
    proxy.make(Weather::Clear);
    let began = Instant::now();
    echoed(&mut stream, b"little").await.expect("it arrives");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

pub(crate) async fn without_a_server_connections_are_reset() {
    let proxy = Proxy::to(SocketAddr::from(([127, 0, 0, 1], 1))).await;
    let told = async { TcpStream::connect(proxy.address()).await?.read_u8().await };
    let told = timeout(SOON, told).await.expect("it is told at once");
    assert_eq!(told.expect_err("nobody is there").kind(), ErrorKind::ConnectionReset);
}

//! A piece of network between the processes of a shop and one of its servers, in which any weather can be made.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

const CHUNK_BYTES: usize = 16 * 1_024;
/// Below the ports that outgoing connections are given, so that nobody takes the port of a proxy while it is cut.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const LISTEN_AGAIN_WITHIN: Duration = Duration::from_secs(5);
const LISTEN_AGAIN_EVERY: Duration = Duration::from_millis(5);

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// It arrives.
    Clear,
    /// Nothing arrives in either direction until the weather changes, and nobody is told; then all of it does, as it does in a network that sends again.
    Hang,
    /// Connections are reset, and new ones refused.
    Cut,
    /// It arrives late, and only so much at a time.
    Slow { late_by: Duration, bytes_per_second: u32 },
}

impl Weather {
    /// How long it takes so many bytes to arrive.
    fn delay(self, bytes: usize) -> Duration {
        match self {
            Self::Clear | Self::Hang | Self::Cut => Duration::ZERO,
            Self::Slow { late_by, bytes_per_second } => late_by + Duration::from_secs_f64(bytes as f64 / f64::from(bytes_per_second)),
        }
    }
}

/// A listener that passes on to a server what it is sent, as far as the weather allows.
pub(crate) struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free loopback port. Its server need not be there yet.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let (weather, seen) = watch::channel(Weather::Clear);
        let listener = listen_on_a_free_port().await;
        let address = listener.local_addr().expect("it is bound");
        Self { address, weather, listening: tokio::spawn(listen(listener, address, server, seen)) }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, also for what is under way.
    pub(crate) fn make(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen_on_a_free_port() -> TcpListener {
    for port in PORTS {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return listener;
        }
    }
    panic!("no port of {PORTS:?} is free");
}

/// Listens while the weather is not cut.
async fn listen(listener: TcpListener, address: SocketAddr, server: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let cut = *weather.borrow_and_update() == Weather::Cut;
        if cut {
            listener = None;
        } else if listener.is_none() {
            listener = Some(listen_again(address).await);
        }
        tokio::select! {
            changed = weather.changed() => if changed.is_err() { return },
            accepted = accept(listener.as_ref()) => if let Ok((client, _)) = accepted {
                connections.spawn(carry(client, server, weather.clone()));
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn listen_again(address: SocketAddr) -> TcpListener {
    let listening = async {
        loop {
            match TcpListener::bind(address).await {
                Ok(listener) => return listener,
                Err(_) => sleep(LISTEN_AGAIN_EVERY).await,
            }
        }
    };
    timeout(LISTEN_AGAIN_WITHIN, listening).await.expect("nobody has taken the port")
}

/// Carries one connection to its end. Whatever ends it other than both sides closing is a reset.
async fn carry(client: TcpStream, server: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut cut = weather.clone();
    let mut server = match reach(server, weather.clone()).await {
        Ok(server) => server,
        Err(_) => return reset(&client),
    };
    let mut client = client;
    let carried = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let both = async { tokio::try_join!(pump(from_client, to_server, weather.clone()), pump(from_server, to_client, weather.clone())) };
        tokio::select! {
            carried = both => carried.is_ok(),
            _ = cut.wait_for(|weather| *weather == Weather::Cut) => false,
        }
    };
    if !carried {
        reset(&client);
        reset(&server);
    }
}

async fn reach(server: SocketAddr, mut weather: watch::Receiver<Weather>) -> io::Result<TcpStream> {
    arrives(&mut weather).await?;
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What is dropped after this is reset. A stream that cannot be told is closed, which is as good.
fn reset(stream: &TcpStream) {
    let _closed = stream.set_zero_linger();
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut weather: watch::Receiver<Weather>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        arrives(&mut weather).await?;
        let received = from.read(&mut chunk).await?;
        // It may have begun to hang while nothing came.
        let now = arrives(&mut weather).await?;
        if received == 0 {
            return to.shutdown().await;
        }
        sleep(now.delay(received)).await;
        to.write_all(&chunk[..received]).await?;
    }
}

/// Waits until something arrives; answers in which weather.
async fn arrives(weather: &mut watch::Receiver<Weather>) -> io::Result<Weather> {
    let weather = weather.wait_for(|weather| *weather != Weather::Hang).await;
    weather.map(|weather| *weather).map_err(|_gone| io::ErrorKind::ConnectionAborted.into())
}

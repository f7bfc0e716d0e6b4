//! A piece of network between the processes of a shop and one of its servers, in which any weather can be made.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// What clients send does not arrive until the weather changes; what the server sends does.
    Deaf,
    /// Connections are reset, and new ones refused.
    Cut,
    /// It arrives late, and only so much at a time.
    Slow { late_by: Duration, bytes_per_second: u32 },
}

impl Weather {
    /// Whether anything arrives that goes this way.
    const fn lets_through(self, way: Way) -> bool {
        match (self, way) {
            (Self::Hang, _) | (Self::Deaf, Way::ToServer) => false,
            (Self::Clear | Self::Cut | Self::Slow { .. } | Self::Deaf, _) => true,
        }
    }

    /// How long it takes so many bytes to arrive.
    fn delay(self, bytes: usize) -> Duration {
        match self {
            Self::Clear | Self::Hang | Self::Deaf | Self::Cut => Duration::ZERO,
            Self::Slow { late_by, bytes_per_second } => late_by + Duration::from_secs(bytes as u64) / bytes_per_second,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

/// What a client and the server have said to each other by one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conversation {
    /// What the client has sent, whether or not it has arrived.
    pub(crate) sent: Vec<u8>,
    /// What the server has answered.
    pub(crate) answered: Vec<u8>,
}

type Sign = dyn Fn(&Conversation) -> bool + Send + Sync;

/// Hears every conversation, and knows by which sign it is to go deaf.
struct Ear {
    sign: Box<Sign>,
    /// The conversation in which the sign was given.
    given_in: Mutex<Option<Arc<Mutex<Conversation>>>>,
}

/// A listener that passes on to a server what it is sent, as far as the weather allows.
pub(crate) struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    ear: Option<Arc<Ear>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free loopback port. Its server need not be there yet.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        Self::listening(server, None).await
    }

    /// The same, but the weather becomes deaf once, by itself: as soon as a conversation, with what its client has just sent, shows this sign. What has
    /// just been sent does not arrive before the weather changes again.
    pub(crate) async fn that_goes_deaf(server: SocketAddr, sign: impl Fn(&Conversation) -> bool + Send + Sync + 'static) -> Self {
        Self::listening(server, Some(Arc::new(Ear { sign: Box::new(sign), given_in: Mutex::default() }))).await
    }

    async fn listening(server: SocketAddr, ear: Option<Arc<Ear>>) -> Self {
        let weather = watch::Sender::new(Weather::Clear);
        let listener = listen_on_a_free_port().await;
        let address = listener.local_addr().expect("it is bound");
        let air = Air { weather: weather.subscribe(), make: weather.clone(), ear: ear.clone() };
        let listening = tokio::spawn(listen(listener, address, server, air));
        Self { address, weather, ear, listening }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the weather is deaf.
    pub(crate) async fn gone_deaf(&self) {
        self.weather.subscribe().wait_for(|weather| *weather == Weather::Deaf).await.expect("it makes the weather itself");
    }

    /// The conversation in which the sign was given, as far as it has come; `None` if it was not.
    pub(crate) fn heard(&self) -> Option<Conversation> {
        let given_in = locked(&self.ear.as_ref()?.given_in);
        given_in.as_ref().map(|conversation| locked(conversation).clone())
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen_on_a_free_port() -> TcpListener {
    for port in PORTS {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return listener;
        }
    }
    panic!("no port of {PORTS:?} is free");
}

/// What is between a client and the server.
#[derive(Clone)]
struct Air {
    weather: watch::Receiver<Weather>,
    make: watch::Sender<Weather>,
    ear: Option<Arc<Ear>>,
}

/// Listens while the weather is not cut.
async fn listen(listener: TcpListener, address: SocketAddr, server: SocketAddr, mut air: Air) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let cut = *air.weather.borrow_and_update() == Weather::Cut;
        if cut {
            listener = None;
        } else if listener.is_none() {
            listener = Some(listen_again(address).await);
        }
        tokio::select! {
            changed = air.weather.changed() => if changed.is_err() { return },
            accepted = accept(listener.as_ref()) => if let Ok((client, _)) = accepted {
                connections.spawn(carry(client, server, air.clone()));
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
async fn carry(mut client: TcpStream, server: SocketAddr, mut air: Air) {
    let Ok(mut server) = air.reach(server).await else { return reset(&client) };
    let (mut to_server, mut to_client) = (air.clone(), air.clone());
    let conversation = Arc::default();
    let carried = {
        let ((from_client, into_client), (from_server, into_server)) = (client.split(), server.split());
        let there = to_server.pump(Way::ToServer, &conversation, from_client, into_server);
        let back = to_client.pump(Way::ToClient, &conversation, from_server, into_client);
        tokio::select! {
            carried = async { tokio::try_join!(there, back) } => carried.is_ok(),
            _ = air.weather.wait_for(|weather| *weather == Weather::Cut) => false,
        }
    };
    if !carried {
        reset(&client);
        reset(&server);
    }
}

/// What is dropped after this is reset. A stream that cannot be told is closed, which is as good.
fn reset(stream: &TcpStream) {
    let _closed = stream.set_zero_linger();
}

impl Air {
    async fn reach(&mut self, server: SocketAddr) -> io::Result<TcpStream> {
        self.lets_through(Way::ToServer).await?;
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn pump(
        &mut self,
        way: Way,
        conversation: &Arc<Mutex<Conversation>>,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            self.lets_through(way).await?;
            let received = from.read(&mut chunk).await?;
            self.hears(way, conversation, &chunk[..received]);
            // The weather may have changed while nothing came, and while what came was under way.
            let weather = self.lets_through(way).await?;
            sleep(weather.delay(received)).await;
            self.lets_through(way).await?;
            if received == 0 {
                return to.shutdown().await;
            }
            to.write_all(&chunk[..received]).await?;
        }
    }

    /// Makes the weather deaf at the sign, before what was received goes any further.
    fn hears(&self, way: Way, conversation: &Arc<Mutex<Conversation>>, received: &[u8]) {
        let Some(ear) = &self.ear else { return };
        let mut said = locked(conversation);
        match way {
            Way::ToServer => said.sent.extend_from_slice(received),
            Way::ToClient => said.answered.extend_from_slice(received),
        }
        let mut given_in = locked(&ear.given_in);
        if way == Way::ToServer && given_in.is_none() && (ear.sign)(&said) {
            *given_in = Some(Arc::clone(conversation));
            self.make.send_replace(Weather::Deaf);
        }
    }

    /// Waits until something gets through; answers in which weather.
    async fn lets_through(&mut self, way: Way) -> io::Result<Weather> {
        let weather = self.weather.wait_for(|weather| weather.lets_through(way)).await;
        weather.map(|weather| *weather).map_err(|_gone| io::ErrorKind::ConnectionAborted.into())
    }
}

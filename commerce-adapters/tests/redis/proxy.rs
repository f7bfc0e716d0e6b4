use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a call that was held up may take to be carried out once it is let go.
const LATE_MAX: Duration = Duration::from_secs(20);

/// Stands between a test and its server, and loses an answer or holds up a call when it is told to.
pub(crate) struct Proxy {
    port: u16,
    orders: Arc<Orders>,
}

#[derive(Default)]
struct Orders {
    /// How many answers are to be lost, and how many were.
    lose: AtomicUsize,
    lost: AtomicUsize,
    /// The number of the call that is to be held up until it is let go, counted down; 0 if none is.
    hold: AtomicUsize,
    held: Notify,
    carried_out: Notify,
}

/// What a connection has answered so far.
#[derive(Default)]
struct Answered {
    count: AtomicUsize,
    more: Notify,
}

/// Counts down; answers what it was before, 0 if there is nothing to count.
fn count_down(count: &AtomicUsize) -> usize {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).unwrap_or(0)
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, orders) = (listener.local_addr().unwrap().port(), Arc::<Orders>::default());
        let accepted = Arc::clone(&orders);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let answered = Arc::<Answered>::default();
                tokio::spawn(calls(from_client, to_server, Arc::clone(&accepted), Arc::clone(&answered)));
                tokio::spawn(answers(from_server, to_client, Arc::clone(&accepted), answered));
            }
        });
        Self { port, orders }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Closes the connection instead of passing the next answer on.
    pub(crate) fn lose_next_answer(&self) {
        self.orders.lose.fetch_add(1, Ordering::SeqCst);
    }

    /// The same, with every answer until there are to be [none](Self::lose_no_answer) that are lost.
    pub(crate) fn lose_every_answer(&self) {
        self.orders.lose.store(usize::MAX, Ordering::SeqCst);
    }

    pub(crate) fn lose_no_answer(&self) {
        self.orders.lose.store(0, Ordering::SeqCst);
    }

    /// How many answers were lost.
    pub(crate) fn lost(&self) -> usize {
        self.orders.lost.load(Ordering::SeqCst)
    }

    /// Holds up the call of this number from now on; whoever made it gets no answer and makes it again on another connection.
    pub(crate) fn hold_call(&self, number: usize) {
        self.orders.hold.store(number, Ordering::SeqCst);
    }

    /// Lets the call that is held up go to the server, and waits until it was carried out.
    pub(crate) async fn let_go(&self) {
        self.orders.held.notify_one();
        timeout(LATE_MAX, self.orders.carried_out.notified()).await.expect("the call is carried out");
    }
}

async fn calls(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, orders: Arc<Orders>, answered: Arc<Answered>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut bytes).await {
        let is_held = count_down(&orders.hold) == 1;
        if is_held {
            orders.held.notified().await;
        }
        let before = answered.count.load(Ordering::SeqCst);
        if server.write_all(&bytes[..count]).await.is_err() {
            return;
        }
        if is_held {
            while answered.count.load(Ordering::SeqCst) == before {
                answered.more.notified().await;
            }
            orders.carried_out.notify_one();
        }
    }
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, orders: Arc<Orders>, answered: Arc<Answered>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = server.read(&mut bytes).await {
        answered.count.fetch_add(1, Ordering::SeqCst);
        answered.more.notify_one();
        if count_down(&orders.lose) > 0 {
            orders.lost.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if client.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

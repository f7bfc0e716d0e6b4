//! A stream that loses patience with clients that are slow to say what they want.

use super::ServerLimits;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// What a connection is doing: shared by its stream and the service behind it.
#[derive(Debug, Default)]
pub(super) struct Activity {
    serving: AtomicBool,
    requests: AtomicU64,
}

impl Activity {
    /// A request begins; it ends with the guard.
    pub(super) fn begin(self: &Arc<Self>) -> Serving {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.serving.store(true, Ordering::Relaxed);
        Serving(Arc::clone(self))
    }
}

/// A request that is being worked on.
pub(super) struct Serving(Arc<Activity>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.serving.store(false, Ordering::Relaxed);
    }
}

/// Reads fail once a header takes too long, or once nothing has moved for too long between requests. While a request is being worked on the
/// deadlines of the routes hold instead.
pub(super) struct PatientStream {
    stream: TcpStream,
    activity: Arc<Activity>,
    header_deadline: Duration,
    idle_deadline: Duration,
    /// How many requests had begun when the header that is being read did.
    requests: u64,
    /// When the header that is being read is late.
    header_late_at: Option<Instant>,
    last_moved: Instant,
    /// Is moved forward only when it has run out: most requests leave it alone.
    alarm: Pin<Box<Sleep>>,
}

impl PatientStream {
    pub(super) fn new(stream: TcpStream, limits: ServerLimits, activity: Arc<Activity>) -> Self {
        let ServerLimits { header_deadline, idle_deadline, .. } = limits;
        let now = Instant::now();
        let late_at = now + header_deadline;
        Self {
            stream,
            activity,
            header_deadline,
            idle_deadline,
            requests: 0,
            header_late_at: Some(late_at),
            last_moved: now,
            alarm: Box::pin(sleep_until(late_at)),
        }
    }

    /// Whether the header that was being read has arrived since.
    fn follow_requests(&mut self) {
        let requests = self.activity.requests.load(Ordering::Relaxed);
        if requests != self.requests {
            self.requests = requests;
            self.header_late_at = None;
        }
    }

    /// Takes down that bytes have moved.
    fn moved(&mut self) {
        self.last_moved = Instant::now();
    }

    /// Fails at the deadline that holds now; wakes the task when it may have passed.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let serving = self.activity.serving.load(Ordering::Relaxed);
            let idle_at = self.last_moved + self.idle_deadline;
            let late_at = if serving { None } else { Some(self.header_late_at.map_or(idle_at, |header| header.min(idle_at))) };
            if late_at.is_some_and(|late_at| late_at <= Instant::now()) {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            // Nobody polls this stream again when a request ends, unless the alarm does.
            let look_at = late_at.unwrap_or_else(|| Instant::now() + self.idle_deadline);
            if self.alarm.deadline() > look_at || self.alarm.is_elapsed() {
                self.alarm.as_mut().reset(look_at);
            }
            ready!(self.alarm.as_mut().poll(cx));
        }
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let filled = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(result) => {
                this.follow_requests();
                if buf.filled().len() > filled {
                    this.moved();
                    if this.header_late_at.is_none() && !this.activity.serving.load(Ordering::Relaxed) {
                        this.header_late_at = Some(this.last_moved + this.header_deadline);
                    }
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                this.follow_requests();
                this.poll_patience(cx).map(Err)
            }
        }
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf));
        self.moved();
        Poll::Ready(written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs));
        self.moved();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

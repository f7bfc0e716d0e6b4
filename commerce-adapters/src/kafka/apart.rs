use std::ops::Deref;
use std::sync::LazyLock;
use tokio::sync::{oneshot, watch};

/// How many clients of this process have not ended yet.
static CLIENTS: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// Waits until every Kafka client of this process has ended. Before it ends, a program does well to wait a moment for it: threads of clients that are
/// still ending while the process takes apart what they use can crash it.
pub async fn clients_ended() {
    let mut clients = CLIENTS.subscribe();
    let _there_is_a_sender = clients.wait_for(|clients| *clients == 0).await;
}

/// A client whose end takes a while: it says good-bye to brokers that may not answer. It ends on a thread of its own, wherever it is dropped,
/// and keeps neither the runtime nor whoever drops it.
pub(super) struct EndsApart<T: Send + 'static>(Option<Counted<T>>);

impl<T: Send + 'static> EndsApart<T> {
    pub(super) fn new(client: T) -> Self {
        CLIENTS.send_modify(|clients| *clients += 1);
        Self(Some(Counted { client, _end: CountedEnd }))
    }

    /// Ends the client on a thread of its own, after `last`, and answers what `last` did once the client has ended.
    pub(super) async fn end<R: Send + 'static>(mut self, last: impl FnOnce(&T) -> R + Send + 'static) -> Option<R> {
        let counted = self.0.take()?;
        let (ended, end) = oneshot::channel();
        std::thread::spawn(move || {
            let outcome = last(&counted.client);
            drop(counted);
            // Nobody may have waited for so long.
            let _gone = ended.send(outcome);
        });
        end.await.ok()
    }
}

impl<T: Send + 'static> Deref for EndsApart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.as_ref().expect("it is taken by its end only").client
    }
}

impl<T: Send + 'static> Drop for EndsApart<T> {
    fn drop(&mut self) {
        if let Some(counted) = self.0.take() {
            std::thread::spawn(move || drop(counted));
        }
    }
}

/// A client, and, dropped behind it, its end.
struct Counted<T> {
    client: T,
    _end: CountedEnd,
}

struct CountedEnd;

impl Drop for CountedEnd {
    fn drop(&mut self) {
        CLIENTS.send_modify(|clients| *clients -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;
    use tokio::time::timeout;

    /// Ends when it is told to.
    struct Slow(mpsc::Receiver<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            let _told_or_gone = self.0.recv();
        }
    }

    #[tokio::test]
    async fn clients_have_ended_when_the_last_one_has() {
        let (end, told) = mpsc::channel();
        let client = EndsApart::new(Slow(told));
        drop(client);
        assert!(timeout(Duration::from_millis(20), clients_ended()).await.is_err(), "it has not ended yet");
        end.send(()).unwrap();
        timeout(Duration::from_secs(10), clients_ended()).await.unwrap();
    }
}

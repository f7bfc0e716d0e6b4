use async_trait::async_trait;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// A dependency that takes longer to answer is down.
const PING_DEADLINE: Duration = Duration::from_millis(1_500);
/// For how long an answer counts: however many probes there are, a dependency is asked once in it.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// Something that can be asked whether it is there.
#[async_trait]
pub trait Ping: Send + Sync {
    /// Asks it.
    ///
    /// # Errors
    /// What it says if it is not there.
    async fn ping(&self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// Something a shop needs, which operators are told about. Clones share what is known of it.
#[derive(Clone)]
pub struct Dependency {
    name: &'static str,
    ping: Arc<dyn Ping>,
    known: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Dependency {
    /// Something that is there if it answers a ping in time.
    pub fn new(name: &'static str, ping: impl Ping + 'static) -> Self {
        Self { name, ping: Arc::new(ping), known: Arc::default() }
    }

    /// What operators call it.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is there. Who asks while another one does waits for the same answer.
    pub(super) async fn is_up(&self) -> bool {
        let mut known = self.known.lock().await;
        if let Some((at, up)) = *known
            && at.elapsed() < FRESH_FOR
        {
            return up;
        }
        let up = match timeout(PING_DEADLINE, self.ping.ping()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => self.is_missed(error.as_ref()),
            Err(late) => self.is_missed(&late),
        };
        metrics::gauge!("commerce_dependency_up", "dependency" => self.name).set(if up { 1.0 } else { 0.0 });
        *known = Some((Instant::now(), up));
        up
    }

    fn is_missed(&self, error: &dyn Error) -> bool {
        tracing::warn!(%error, dependency = self.name, "a dependency is down");
        false
    }
}

impl fmt::Debug for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dependency").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Answers every other ping, and never the third of three.
    #[derive(Clone, Default)]
    struct Moody(Arc<AtomicU32>);

    #[async_trait]
    impl Ping for Moody {
        async fn ping(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => Ok(()),
                1 => Err("connection refused".into()),
                _ => std::future::pending().await,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dependency_is_asked_once_a_second_however_many_want_to_know() {
        let moody = Moody::default();
        let dependency = Dependency::new("moody", moody.clone());
        for (asked, up) in [(1, true), (2, false)] {
            let answers = futures_util::future::join_all((0..100).map(|_| dependency.is_up())).await;
            assert!(answers.into_iter().all(|answer| answer == up));
            assert_eq!(moody.0.load(Ordering::SeqCst), asked);
            tokio::time::advance(FRESH_FOR).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dependency_that_hangs_is_down_in_bounded_time_for_everybody() {
        let dependency = Dependency::new("moody", Moody(Arc::new(AtomicU32::new(2))));
        let begun = Instant::now();
        let answers = futures_util::future::join_all((0..100).map(|_| dependency.is_up())).await;
        assert!(answers.into_iter().all(|answer| !answer));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

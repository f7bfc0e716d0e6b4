//! Contenders that do the same thing again and again, so that whoever measures them finds the crowd as dense at the end as at the beginning.

use super::waits::Waits;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout_at};

/// Operations that end together, as those of a batch do, must not look fast to somebody who looks just then: everybody is looked at for so long.
const LOOKED_AT_MIN: Duration = Duration::from_millis(10);
/// After as many failures in a row a contender gives up: something is broken.
const FAILURES_IN_A_ROW_MAX: u32 = 50;

/// What came of one attempt at an operation.
pub(crate) enum Attempt {
    /// It was done.
    Done,
    /// It was not, and nothing was changed: a guard or a lock gave up. The contender goes on.
    GaveUp,
}

/// A crowd that is at work.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    contenders: JoinSet<Told>,
    /// When the crowd has been at work for so long, nobody waits for it any more.
    until: Instant,
    /// When it began, when the first operations were served for which somebody waited, and when the last.
    marks: [Mark; 3],
}

/// How many operations were done at a moment.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    done: u64,
}

struct Shared {
    done: AtomicU64,
    wanted: AtomicU64,
    reached: Notify,
    over: AtomicBool,
}

/// What a contender tells of when it is done.
struct Told {
    waits: Waits,
    gave_up: u64,
    failures: BTreeMap<String, u64>,
}

/// Times in which operations were counted.
#[derive(Default)]
pub(crate) struct Windows(Vec<(u64, Duration)>);

impl Windows {
    pub(crate) fn add(&mut self, operations: u64, lasting: Duration) {
        self.0.push((operations, lasting));
    }

    /// The rate in all windows but the first one, in which everything was still warming up.
    pub(crate) fn per_second(&self) -> Option<f64> {
        let windows = if self.0.len() > 1 { &self.0[1..] } else { &self.0 };
        let operations: u64 = windows.iter().map(|(operations, _)| operations).sum();
        let lasting: Duration = windows.iter().map(|(_, lasting)| *lasting).sum();
        (operations > 0).then(|| precise(operations) / lasting.as_secs_f64())
    }
}

/// What a crowd has done.
pub(crate) struct Done {
    /// Operations that were answered, whenever that was.
    pub(crate) operations: u64,
    /// How many were done a second while it was measured.
    pub(crate) per_second: f64,
    /// How long each took.
    pub(crate) waits: Waits,
    /// How often a contender was turned away for good.
    pub(crate) gave_up: u64,
    /// What went wrong, each with how often it did.
    pub(crate) failures: BTreeMap<String, u64>,
}

impl Crowd {
    /// Lets contenders begin. Each calls `work` again and again, with its own number.
    pub(crate) fn gather<W, F, E>(runtime: &Runtime, contenders: u64, patience: Duration, work: W) -> Self
    where
        W: Fn(u64) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Attempt, E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let shared = Arc::new(Shared {
            done: AtomicU64::new(0),
            wanted: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
            over: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        for number in 0..contenders {
            tasks.spawn_on(contend(Arc::clone(&shared), number, work.clone()), runtime.handle());
        }
        let begun = Mark { at: Instant::now(), done: 0 };
        Self { shared, contenders: tasks, until: begun.at + patience, marks: [begun; 3] }
    }

    /// How long the next `operations` take, whoever does them.
    ///
    /// A crowd that gets hardly anything done is not waited for without end: the answer is then what is to be expected by what it has done so far.
    pub(crate) async fn serve(&mut self, operations: u64) -> Duration {
        let shared = &self.shared;
        let begun = Mark { at: Instant::now(), done: shared.done.load(Ordering::Relaxed) };
        let wanted = begun.done + operations;
        shared.wanted.store(wanted, Ordering::SeqCst);
        while shared.done.load(Ordering::SeqCst) < wanted && begun.at < self.until {
            if timeout_at(self.until.into(), shared.reached.notified()).await.is_err() {
                break;
            }
        }
        if begun.at < self.until {
            sleep_until((begun.at + LOOKED_AT_MIN).into()).await;
            let mark = Mark { at: Instant::now(), done: shared.done.load(Ordering::Relaxed) };
            let [start, first, _] = self.marks;
            self.marks = [start, if first.at == start.at { mark } else { first }, mark];
            if let Some(rate) = rate(begun, mark) {
                return Duration::from_secs_f64(precise(operations) / rate);
            }
        }
        Duration::from_secs_f64(precise(operations) / self.per_second().unwrap_or(1.0))
    }

    /// The rate from the first to the last time that somebody waited for operations: before, the crowd was still gathering.
    fn per_second(&self) -> Option<f64> {
        let [start, first, last] = self.marks;
        rate(first, last).or_else(|| rate(start, last))
    }

    /// Lets everybody end what it has begun.
    pub(crate) async fn disperse(mut self) -> Done {
        self.shared.over.store(true, Ordering::Relaxed);
        let per_second = self.per_second().unwrap_or_default();
        let mut done = Done { operations: 0, per_second, waits: Waits::new(), gave_up: 0, failures: BTreeMap::new() };
        while let Some(told) = self.contenders.join_next().await {
            let told = told.expect("a contender does not panic");
            done.waits.add(&told.waits);
            done.gave_up += told.gave_up;
            for (why, times) in told.failures {
                *done.failures.entry(why).or_default() += times;
            }
        }
        done.operations = self.shared.done.load(Ordering::Relaxed);
        done
    }
}

fn rate(from: Mark, to: Mark) -> Option<f64> {
    let done = to.done - from.done;
    (done > 0).then(|| precise(done) / (to.at - from.at).as_secs_f64())
}

async fn contend<W, F, E>(shared: Arc<Shared>, number: u64, work: W) -> Told
where
    W: Fn(u64) -> F,
    F: Future<Output = Result<Attempt, E>>,
    E: Display,
{
    let mut told = Told { waits: Waits::new(), gave_up: 0, failures: BTreeMap::new() };
    let (mut begun, mut failures_in_a_row) = (Instant::now(), 0);
    while !shared.over.load(Ordering::Relaxed) && failures_in_a_row < FAILURES_IN_A_ROW_MAX {
        match work(number).await {
            Ok(Attempt::Done) => {
                told.waits.record(begun.elapsed());
                failures_in_a_row = 0;
                if shared.done.fetch_add(1, Ordering::SeqCst) + 1 == shared.wanted.load(Ordering::SeqCst) {
                    shared.reached.notify_one();
                }
                begun = Instant::now();
            }
            // Who is turned away comes back, and has waited for all that time.
            Ok(Attempt::GaveUp) => told.gave_up += 1,
            Err(error) => {
                *told.failures.entry(error.to_string()).or_default() += 1;
                failures_in_a_row += 1;
            }
        }
        // What never waits for anything would keep its thread for itself.
        tokio::task::consume_budget().await;
    }
    told
}

#[expect(clippy::cast_precision_loss, reason = "a count of a benchmark is far below 2^52")]
pub(crate) fn precise(count: u64) -> f64 {
    count as f64
}

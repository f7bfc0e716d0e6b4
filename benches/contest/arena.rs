use super::crowd::{Crowd, Done, precise};
use super::tally::Tally;
use crate::figures::{Book, Figure, Limit, Verdict, Waste, measuring};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long each setting is measured, in milliseconds. The argument `--measurement-time` of criterion wins over it.
const VARIABLE: &str = "COMMERCE_BENCH_MS";
const MEASURED_MS: u64 = 1_000;
const MEASURED_MS_MAX: u64 = 600_000;
/// A setting that is this many times slower than it should be is cut short.
const OVERTIME: u32 = 6;
const WARM_UP: Duration = Duration::from_millis(300);
/// The fewest that criterion allows: crowds are large, and what counts here is the rate of all of them.
const SAMPLES: usize = 10;
const LIMIT_OPERATIONS_MIN: u64 = 20;

/// What a path is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    pub(crate) contenders: u64,
    pub(crate) keys: u64,
}

/// Where crowds are measured: criterion decides what is run and for how long, and everything that was measured goes into the book.
pub(crate) struct Arena {
    criterion: Criterion,
    runtime: Runtime,
    tally: Tally,
    book: Book,
    measured: Duration,
    faults: Vec<String>,
}

impl Arena {
    /// Reads the arguments and the environment.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub(crate) fn open(bench: &str) -> Result<Self, String> {
        let wrong = |text: &str| format!("{VARIABLE} must be a number from 100 to {MEASURED_MS_MAX}, not {text:?}");
        let ms = match std::env::var(VARIABLE) {
            Ok(text) => text.parse().ok().filter(|ms| (100..=MEASURED_MS_MAX).contains(ms)).ok_or_else(|| wrong(&text))?,
            Err(_) => MEASURED_MS,
        };
        let measured = Duration::from_millis(ms);
        let criterion = Criterion::default().sample_size(SAMPLES).warm_up_time(WARM_UP).measurement_time(measured).without_plots();
        let runtime = Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
        let mut book = Book::new(bench);
        book.conditions.push(format!("each setting was measured for {measured:?} after {WARM_UP:?} of warm-up"));
        Ok(Self { criterion: criterion.configure_from_args(), runtime, tally: Tally::install(), book, measured, faults: Vec::new() })
    }

    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Notes something that is to be known about the run.
    pub(crate) fn condition(&mut self, sentence: String) {
        self.book.conditions.push(sentence);
    }

    /// Says what is left out, and why.
    pub(crate) fn left_out(&mut self, sentence: String) {
        println!("left out: {sentence}");
        self.book.left_out.push(sentence);
    }

    /// Notes something that makes the bench fail.
    pub(crate) fn fault(&mut self, sentence: String) {
        self.faults.push(sentence);
    }

    /// Measures a crowd; `None` if it was not asked for.
    pub(crate) fn contend(
        &mut self,
        path: (&str, &str),
        setting: Setting,
        gather: impl FnOnce(&Runtime, Duration) -> Crowd,
    ) -> Option<(Done, Vec<Waste>)> {
        let (before, patience) = (self.tally.read(), WARM_UP + self.measured * OVERTIME);
        let (mut gather, mut crowd) = (Some(gather), None);
        self.bench(path, setting, 1, |runtime, operations| {
            let crowd: &mut Crowd = crowd.get_or_insert_with(|| gather.take().expect("it gathers once")(runtime, patience));
            runtime.block_on(crowd.serve(operations))
        });
        let done = self.runtime.block_on(crowd?.disperse());
        let wasted = wasted(&before, &self.tally.read(), &done);
        Some((done, wasted))
    }

    /// Has criterion measure how long some iterations take, of so many operations each.
    pub(crate) fn bench(
        &mut self,
        (group, path): (&str, &str),
        setting: Setting,
        operations: u64,
        mut routine: impl FnMut(&Runtime, u64) -> Duration,
    ) {
        let Self { criterion, runtime, .. } = self;
        let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group(group);
        group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(operations));
        let id = BenchmarkId::new(path, format!("{}_on_{}", setting.contenders, setting.keys));
        group.bench_function(id, |bencher| bencher.iter_custom(|iterations| routine(runtime, iterations)));
        group.finish();
    }

    /// What a set-up can do at best, with so many at it at once. Measured by the same crowds, but for a third of the time.
    pub(crate) fn limit(&self, name: &str, contenders: u64, gather: impl FnOnce(&Runtime, Duration) -> Crowd) -> Limit {
        let lasting = if measuring() { self.measured / 3 } else { Duration::from_millis(1) };
        let mut crowd = gather(&self.runtime, lasting * OVERTIME);
        let done = self.runtime.block_on(async {
            let first = crowd.serve(LIMIT_OPERATIONS_MIN.max(contenders)).await;
            let per_operation = first.as_secs_f64() / precise(LIMIT_OPERATIONS_MIN.max(contenders));
            let operations = (lasting.as_secs_f64() / per_operation.max(1e-9)).clamp(1.0, 1e9);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from one to a thousand million")]
            crowd.serve(operations as u64).await;
            crowd.disperse().await
        });
        assert!(done.failures.is_empty(), "{name} fails: {:?}", done.failures);
        Limit { name: name.to_owned(), per_second: done.per_second }
    }

    /// Enters what was measured.
    pub(crate) fn enter(
        &mut self,
        set_up: &str,
        path: &str,
        setting: Setting,
        (done, wasted): (&Done, Vec<Waste>),
        limit: Option<Limit>,
        verdict: Verdict,
    ) {
        for (why, times) in &done.failures {
            self.fault(format!("{set_up}: {path}: {times} times: {why}"));
        }
        if let Verdict::Wrong(why) = &verdict {
            self.fault(format!("{set_up}: {path} is WRONG: {why}"));
        }
        let Setting { contenders, keys } = setting;
        let (per_second, wait_us) = (done.per_second, done.waits.quantiles_us());
        self.book.figures.push(Figure {
            set_up: set_up.to_owned(),
            path: path.to_owned(),
            contenders,
            keys,
            per_second,
            wait_us,
            limit,
            wasted,
            verdict,
        });
    }

    /// Writes and shows what was measured; fails if anything was wrong.
    pub(crate) fn close(self, target: &Path) -> ExitCode {
        self.criterion.final_summary();
        if measuring() && !self.book.figures.is_empty() {
            print!("{}", self.book.in_full());
            match self.book.write(&Book::folder(target)) {
                Ok(path) => println!("figures: {}", path.display()),
                Err(error) => {
                    eprintln!("error: the figures cannot be written: {error}");
                    return ExitCode::FAILURE;
                }
            }
        }
        for fault in &self.faults {
            println!("FAULT  {fault}");
        }
        if self.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The counters that tell of work in vain, and what they count.
const WASTES: [(&str, &str); 2] = [
    ("commerce_lock_attempts_total{held}", "tries that found the lock held"),
    ("commerce_transaction_retries_total", "transactions run again"),
];

fn wasted(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, done: &Done) -> Vec<Waste> {
    let counted = WASTES.iter().map(|(counter, what)| {
        let count = |counts: &BTreeMap<String, u64>| counts.get(*counter).copied().unwrap_or_default();
        (*what, count(after) - count(before))
    });
    let gave_up = std::iter::once(("operations given up", done.gave_up));
    let wastes = counted.chain(gave_up).filter(|(_, times)| *times > 0);
    let per_operation = |times| precise(times) / precise(done.operations.max(1));
    wastes.map(|(what, times)| Waste { what: what.to_owned(), times, per_operation: per_operation(times) }).collect()
}

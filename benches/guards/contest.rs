use super::goods::{Account, Books, Goods};
use super::too_early;
use super::ways::Way;
use crate::contest::crowd::{Attempt, Crowd, Done, precise};
use crate::contest::place::Place;
use crate::contest::raw::ROWS;
use crate::contest::{Arena, Setting, temporary};
use crate::disk;
use crate::figures::{Limit, Verdict, Waste, measuring};
use commerce_adapters::random::ThreadRandom;
use commerce_core::guard::{GuardCounts, GuardError};
use commerce_core::lock::{DistributedLock, Locks, Patience};
use commerce_core::store::Random;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const CROWDS: [u64; 4] = [1, 8, 64, 256];
/// One hot row, and more rows than there are contenders.
const ROW_COUNTS: [u64; 2] = [1, 1_000];
/// Who is wrong has to be caught in this crowd, which is small: others would be caught more easily.
const WRONG: Setting = Setting { contenders: 16, keys: 1 };
const WRONG_OPERATIONS_MIN: u64 = 300;
const WRONG_PATIENCE: Duration = Duration::from_secs(20);
/// Everybody comes too late.
const SOLD_OUT: Setting = Setting { contenders: 64, keys: 1 };
/// As many commands as a batch has at most.
const BATCH: u32 = 256;
const DISK_MEASURED: Duration = Duration::from_millis(500);

/// A lock service, by the name of the path, and how it is waited for.
type Service = (&'static str, Arc<dyn DistributedLock>, Patience);

/// Measures every guard of these goods, in a file and on every server whose address is given.
pub(crate) fn run<G: Goods>() -> ExitCode {
    let mut arena = match Arena::open(G::BENCH) {
        Ok(arena) => arena,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return ExitCode::from(2);
        }
    };
    let place = arena.runtime().block_on(Place::sqlite(temporary()));
    if let Some(folder) = place.folder().filter(|_| measuring()) {
        let syncs = disk::syncs_per_second(folder, DISK_MEASURED);
        arena.condition(format!("the disk syncs {syncs:.0} appends of 4 KiB a second, one after the other"));
    }
    let services: [Service; 2] =
        [("spin lock", Arc::clone(&place.locks), Patience::SPIN), ("lock, told of releases", Arc::clone(&place.locks), Patience::TOLD)];
    on::<G>(&mut arena, place, "file", &services);
    #[cfg(feature = "distributed")]
    on_servers::<G>(&mut arena);
    #[cfg(not(feature = "distributed"))]
    arena.left_out("MySQL, MariaDB and locks in Redis, because this was built without the feature distributed".to_owned());
    arena.close(crate::contest::target())
}

#[cfg(feature = "distributed")]
fn on_servers<G: Goods>(arena: &mut Arena) {
    use crate::contest::server::{Keys, Server};
    use commerce_adapters::redis::RedisLocks;

    let redis = match Server::Redis.address() {
        Ok(address) => Some(arena.runtime().block_on(Keys::on(&address))),
        Err(why) => {
            arena.left_out(format!("locks in {why}"));
            None
        }
    };
    for server in Server::DATABASES {
        let address = match server.address() {
            Ok(address) => address,
            Err(why) => {
                arena.left_out(why);
                continue;
            }
        };
        let place = arena.runtime().block_on(Place::database(server, &address));
        let mut services: Vec<Service> = vec![("spin lock, GET_LOCK", Arc::clone(&place.locks), Patience::SPIN)];
        if let Some(keys) = &redis {
            let locks: Arc<dyn DistributedLock> = Arc::new(RedisLocks::new(keys.redis.clone()));
            services.push(("spin lock, Redis", Arc::clone(&locks), Patience::SPIN));
            services.push(("lock in Redis, told", locks, Patience::TOLD));
        }
        on::<G>(arena, place, server.name(), &services);
    }
}

/// What was measured and is not judged yet.
struct Measured {
    path: &'static str,
    setting: Setting,
    rows: Range<i64>,
    done: Done,
    wasted: Vec<Waste>,
    limit: Option<Limit>,
    /// Operations that were answered with a change, those before the measurement too.
    granted: u64,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Every operation changes its row.
    Changes,
    /// None does.
    Refusals,
    /// Some changes are lost.
    Losses,
}

/// Measures every guard on one store, and judges all of them by the books.
fn on<G: Goods>(arena: &mut Arena, place: Place, group: &str, services: &[Service]) {
    let group = format!("{}/{group}", G::BENCH);
    let mut round =
        Round::<G> { arena, place: &place, group, next_row: 1, limits: HashMap::new(), measured: Vec::new(), goods: PhantomData };
    // Whether all of it works can be seen in small crowds.
    let crowds = if measuring() { CROWDS.as_slice() } else { &CROWDS[..2] };
    for way in Way::all(&place, services) {
        for keys in ROW_COUNTS {
            for &contenders in crowds {
                round.measure(&way, Setting { contenders, keys }, Expected::Changes);
            }
        }
    }
    for way in [Way::RowLock, Way::CounterInFront, Way::GroupCommit] {
        round.sold_out(&way);
    }
    if let Some((_, service, _)) = services.first() {
        round.wrong(Arc::clone(service));
    }
    round.judge();
    arena.runtime().block_on(place.clear());
}

struct Round<'a, G> {
    arena: &'a mut Arena,
    place: &'a Place,
    group: String,
    /// Every measurement has rows of its own.
    next_row: i64,
    limits: HashMap<(Setting, u32), Limit>,
    measured: Vec<Measured>,
    goods: PhantomData<G>,
}

impl<G: Goods> Round<'_, G> {
    fn sold_out(&mut self, way: &Way) {
        // Only what can be used up can have a counter in front.
        let runtime = self.arena.runtime();
        if runtime.block_on(async { Way::CounterInFront.fresh::<G>(self.place).is_some() }) {
            self.measure(way, SOLD_OUT, Expected::Refusals);
        }
    }

    /// Measures a guard in a setting, on new rows.
    fn measure(&mut self, way: &Way, setting: Setting, expected: Expected) {
        let path = match (expected, way) {
            (Expected::Refusals, Way::RowLock) => "sold out: row lock",
            (Expected::Refusals, Way::CounterInFront) => "sold out: counter in front of a row lock",
            (Expected::Refusals, Way::GroupCommit) => "sold out: group commit",
            _ => way.name(),
        };
        let (mut rows, granted, mut fresh) = (0..0, Arc::new(AtomicU64::new(0)), None);
        let (next_row, place) = (&mut self.next_row, self.place);
        let measured = self.arena.contend((&self.group, path), setting, |runtime, patience| {
            rows = runtime.block_on(open::<G>(place, next_row, setting.keys, expected == Expected::Refusals));
            fresh = runtime.block_on(async { way.fresh::<G>(place) });
            let guard = Arc::clone(&fresh.as_ref().expect("these goods have this guard").guard);
            let (rows, granted) = (rows.clone(), Arc::clone(&granted));
            Crowd::gather(runtime, setting.contenders, patience, move |_| {
                let (guard, granted, row) = (Arc::clone(&guard), Arc::clone(&granted), any(&rows));
                async move {
                    match guard.run(G::command(row)).await {
                        Ok(verdict) => {
                            granted.fetch_add(u64::from(G::is_done(&verdict)), Ordering::Relaxed);
                            Ok(Attempt::Done)
                        }
                        Err(GuardError::Starved { .. } | GuardError::LockHeld) => Ok(Attempt::GaveUp),
                        Err(error) => Err(error),
                    }
                }
            })
        });
        let (Some((done, _)), Some(fresh)) = (measured, fresh) else { return };
        let counts = fresh.guard.counts();
        self.arena.runtime().block_on(fresh.end());
        let lines = if matches!(way, Way::GroupCommit) { BATCH } else { 1 };
        let limit = (expected == Expected::Changes).then(|| self.limit(setting, lines));
        let (wasted, granted) = (wasted(counts, &done), granted.load(Ordering::Relaxed));
        self.measured.push(Measured { path, setting, rows, done, wasted, limit, granted, expected });
    }

    /// What a store can do at best: the same change without any guard, by as many at once; for those who share a commit by batches.
    fn limit(&mut self, setting: Setting, lines: u32) -> Limit {
        // Whoever takes all of a batch is alone.
        let at_once = if lines == 1 { setting.contenders } else { 1 };
        let key = (Setting { contenders: at_once, ..setting }, lines);
        if let Some(limit) = self.limits.get(&key) {
            return limit.clone();
        }
        let name = if lines == 1 {
            "a row changed and a line added, committed, by prepared statements"
        } else {
            "a row changed and 256 lines added, committed, by prepared statements"
        };
        let (raw, rows) = (Arc::clone(&self.place.raw), 1..1 + ROWS.min(i64::try_from(setting.keys).unwrap_or(ROWS)));
        let limit = self.arena.limit(name, at_once, move |runtime, patience| {
            Crowd::gather(runtime, at_once, patience, move |_| {
                let (raw, row) = (Arc::clone(&raw), any(&rows));
                async move { raw.change(row, lines).await.map(|()| Attempt::Done) }
            })
        });
        let limit = Limit { per_second: limit.per_second * f64::from(lines), ..limit };
        self.limits.insert(key, limit.clone());
        limit
    }

    /// Runs what is known to be wrong, which the books have to show.
    fn wrong(&mut self, service: Arc<dyn DistributedLock>) {
        let runtime = self.arena.runtime();
        let rows = runtime.block_on(open::<G>(self.place, &mut self.next_row, WRONG.keys, false));
        let (store, row) = (Arc::clone(&self.place.store), rows.start);
        let locks = Locks::new(service, Arc::new(ThreadRandom));
        let mut crowd = Crowd::gather(runtime, WRONG.contenders, WRONG_PATIENCE, move |_| {
            let (store, locks) = (Arc::clone(&store), locks.clone());
            too_early::change::<G>(store, locks, row)
        });
        let done = runtime.block_on(async {
            crowd.serve(WRONG_OPERATIONS_MIN).await;
            crowd.disperse().await
        });
        let granted = done.operations;
        let (path, setting, expected) = (too_early::NAME, WRONG, Expected::Losses);
        self.measured.push(Measured { path, setting, rows, done, wasted: Vec::new(), limit: None, granted, expected });
    }

    /// Compares what was answered with what is stored.
    fn judge(self) {
        let books = self.arena.runtime().block_on(G::books(self.place.store.as_ref())).expect("the books can be read");
        for Measured { path, setting, rows, done, wasted, limit, granted, expected } in self.measured {
            let wrong = wrong::<G>(&books, rows, granted).or_else(|| match expected {
                Expected::Changes if granted != done.operations => Some(format!("{} answered, {granted} changed", done.operations)),
                Expected::Refusals if granted != 0 => Some(format!("{granted} units were sold that were not there")),
                _ => None,
            });
            let verdict = match (wrong, expected) {
                (None, Expected::Losses) => {
                    self.arena.fault(format!("{}: {path}: what is wrong was not caught", self.place.name));
                    continue;
                }
                (Some(why), Expected::Losses) => Verdict::Caught(why),
                (Some(why), _) => Verdict::Wrong(why),
                (None, _) => Verdict::Right,
            };
            self.arena.enter(&self.place.name, path, setting, (&done, wasted), limit, verdict);
        }
    }
}

async fn open<G: Goods>(place: &Place, next_row: &mut i64, keys: u64, sold_out: bool) -> Range<i64> {
    let rows = *next_row..*next_row + i64::try_from(keys).unwrap_or_default();
    *next_row = rows.end;
    G::open(place.store.as_ref(), rows.clone(), sold_out).await.expect("new rows");
    rows
}

fn any(rows: &Range<i64>) -> i64 {
    let count = u64::try_from(rows.end - rows.start).unwrap_or_default();
    rows.start + i64::try_from(ThreadRandom.up_to(count.saturating_sub(1))).unwrap_or_default()
}

/// What is wrong with these rows, if so many changes were granted.
fn wrong<G: Goods>(books: &Books, rows: Range<i64>, granted: u64) -> Option<String> {
    let mut all = Account::default();
    for row in rows {
        let account = books.get(&row).copied().unwrap_or_default();
        if account.changed != account.ledger {
            return Some(format!(
                "row {row} has changed by {}, and its ledger comes to {}: an update was lost",
                account.changed, account.ledger
            ));
        }
        all.changed += account.changed;
        all.lines += account.lines;
    }
    let expected = G::CHANGE * i64::try_from(granted).unwrap_or_default();
    if all.changed != expected {
        return Some(format!("{granted} changes were answered, which is {expected}, and the rows have changed by {}", all.changed));
    }
    (all.lines != granted).then(|| format!("{granted} changes were answered, and the ledger has {} lines", all.lines))
}

fn wasted(counts: GuardCounts, done: &Done) -> Vec<Waste> {
    let counted = [
        ("tries that found the lock held", counts.waits),
        ("transactions rolled back", counts.conflicts),
        ("operations given up", counts.gave_up),
    ];
    let per_operation = |times| precise(times) / precise(done.operations.max(1));
    let some = counted.into_iter().filter(|(_, times)| *times > 0);
    some.map(|(what, times)| Waste { what: what.to_owned(), times, per_operation: per_operation(times) }).collect()
}

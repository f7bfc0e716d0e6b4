//! What was played, and how the shop took it.

use super::customers::journal::Tally;
use super::recovery::Recovery;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One fault that was played, after which every promise was kept and every invariant held.
pub(crate) struct Played {
    pub(crate) fault: &'static str,
    pub(crate) tally: Tally,
    pub(crate) recovery: Recovery,
    /// How long it took, since the last customer left, until every order had ended and every event had arrived.
    pub(crate) quiet_after: Duration,
}

static PLAYED: Mutex<Vec<Played>> = Mutex::new(Vec::new());

/// Remembers a fault that was played.
pub(crate) fn note(played: Played) {
    PLAYED.lock().unwrap_or_else(PoisonError::into_inner).push(played);
}

/// The table of all that was played; `None` if nothing was.
pub(crate) fn table() -> Option<String> {
    let played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut faults: Vec<&str> = Vec::new();
    for Played { fault, .. } in played.iter() {
        if !faults.contains(fault) {
            faults.push(fault);
        }
    }
    let mut table = String::from(
        "| fault | times | requests served | turned away | ambiguous | first served after, p50 | p99 | normal rate after, p50 | p99 | all quiet after, p50 |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for fault in &faults {
        row(&mut table, fault, &played.iter().filter(|played| played.fault == *fault).collect::<Vec<_>>());
    }
    row(&mut table, "all", &played.iter().collect::<Vec<_>>());
    (!faults.is_empty()).then_some(table)
}

fn row(table: &mut String, name: &str, played: &[&Played]) {
    let sum = |count: fn(&Tally) -> usize| played.iter().map(|played| count(&played.tally)).sum::<usize>();
    let first = times(played.iter().flat_map(|played| played.recovery.first_served.iter().map(|(_, time)| *time)));
    let normal = times(played.iter().map(|played| played.recovery.normal_rate));
    let quiet = times(played.iter().map(|played| played.quiet_after));
    let (served, turned_away, ambiguous) =
        (sum(|tally| tally.served), sum(|tally| tally.unavailable + tally.unreached), sum(|tally| tally.ambiguous));
    let [first_half, first_most] = [50, 99].map(|percent| written(&first, percent));
    let [normal_half, normal_most] = [50, 99].map(|percent| written(&normal, percent));
    let quiet = written(&quiet, 50);
    let times = played.len();
    let cells = format!(
        "| {name} | {times} | {served} | {turned_away} | {ambiguous} | {first_half} | {first_most} | {normal_half} | {normal_most} | {quiet} |"
    );
    writeln!(table, "{cells}").expect("a string takes all");
}

fn times(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times
}

fn written(sorted: &[Duration], percent: usize) -> String {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or_else(|| "–".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()))
}

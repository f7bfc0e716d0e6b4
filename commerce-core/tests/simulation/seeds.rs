//! Many seeds, on several threads, and what they have to show.

use crate::parts::Call;
use crate::run::{Shown, play};
use crate::tally::{Tally, What};
use crate::world::ZONES;
use commerce_core::ErrorCode;
use commerce_core::order::OrderStatus;
use std::env;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const SEEDS: u64 = 5_000;
const THREADS_MIN: usize = 2;
const REPORTED_MAX: usize = 20;

/// Refusals that the core gives to buyers, the administrator and orders.
const REFUSALS: [ErrorCode; 23] = [
    ErrorCode::AlreadyUsedCoupon,
    ErrorCode::CannotCancelOrder,
    ErrorCode::CannotPayOrder,
    ErrorCode::CannotRefundPayment,
    ErrorCode::DuplicateEmail,
    ErrorCode::DuplicatedCoupon,
    ErrorCode::ExpiredCoupon,
    ErrorCode::IdempotencyKeyInFlight,
    ErrorCode::IdempotencyKeyReused,
    ErrorCode::InactiveCoupon,
    ErrorCode::InactiveUser,
    ErrorCode::InsufficientUserPoint,
    ErrorCode::InvalidCouponOwnership,
    ErrorCode::InvalidOrderQuantity,
    ErrorCode::InvalidParameter,
    ErrorCode::InvalidStock,
    ErrorCode::InvalidUserPoint,
    ErrorCode::NotFoundUserCoupon,
    ErrorCode::OptionNotFound,
    ErrorCode::OutOfStock,
    ErrorCode::OutOfStockCoupon,
    ErrorCode::ResourceNotFound,
    ErrorCode::TooManyRequests,
];

/// Everything that has to happen in so many runs.
fn everything() -> Vec<What> {
    let mut all = vec![
        ("saga", "within commit"),
        ("saga", "by message"),
        ("processes", "one"),
        ("processes", "two"),
        ("message fault", "acknowledgement forgotten"),
        ("message fault", "held back"),
        ("message fault", "overtaken"),
        ("message fault", "repeated"),
        ("nature", "ends all locks"),
        ("nature", "kills a process"),
        ("nature", "lets a day turn"),
        ("nature", "turns the clock back"),
        ("nature", "turns the clock on"),
        ("nature", "wipes the boards"),
        ("nature", "wipes the gate"),
        ("operator", "counts a day anew"),
        ("operator", "rebuilds a gate"),
        ("operator", "asks for a gate"),
        ("store fault", "begin unavailable"),
        ("store fault", "commit ambiguous"),
        ("store fault", "commit conflict"),
        ("store fault", "commit lost"),
        ("store fault", "commit unavailable"),
        ("client", "found the gate closed"),
        ("client", "got no answer"),
        ("client", "was told the same again"),
        ("client", "was told what is stored"),
        ("coupon", "places without a gap"),
        ("payment", "COMPLETED"),
        ("payment", "REFUNDED"),
        ("ranking", "day with sales"),
        ("ranking", "has products"),
        ("task", "issued"),
        ("task", "not issued"),
        ("task told", "SUCCESS"),
        ("task told", "FAIL"),
    ];
    let crashing = Call::ALL.into_iter().filter(|call| *call != Call::Purge);
    all.extend(crashing.flat_map(|call| [("crash before", call.name()), ("crash after", call.name())]));
    all.extend(Call::FAILING.into_iter().flat_map(|call| [("fails before", call.name()), ("fails after", call.name())]));
    all.extend(ZONES.into_iter().map(|zone| ("zone", zone)));
    all.extend(REFUSALS.into_iter().map(|code| ("refusal", code.as_str())));
    all.extend(OrderStatus::ALL.into_iter().filter(|status| *status != OrderStatus::Pending).map(|status| ("order", status.as_str())));
    all
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn replay(seed: u64) -> String {
    format!("SIMULATION_SEED={seed} cargo test -p commerce-core --features testing --test simulation -- --nocapture one_seed")
}

/// What is not as it must be after a run, with the command that shows the run.
fn report(seed: u64, shown: &Shown) -> String {
    format!("seed {seed}:\n  {}\n  replay: {}", shown.broken.join("\n  "), replay(seed))
}

#[test]
fn whatever_goes_wrong_nothing_is_sold_charged_or_issued_twice_or_lost() {
    let (seeds, first) = (number("SIMULATION_SEEDS").unwrap_or(SEEDS), number("SIMULATION_FIRST").unwrap_or(0));
    let (next, tally, broken) = (AtomicU64::new(first), Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(THREADS_MIN, |there_are| there_are.get().max(THREADS_MIN));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        break;
                    }
                    let Ok(shown) = catch_unwind(|| play(seed)) else {
                        broken.lock().unwrap().push(format!("seed {seed} panicked\n  replay: {}", replay(seed)));
                        continue;
                    };
                    tally.lock().unwrap().merge(&shown.tally);
                    if !shown.broken.is_empty() {
                        broken.lock().unwrap().push(report(seed, &shown));
                    }
                }
            });
        }
    });
    let (tally, broken) = (tally.into_inner().unwrap(), broken.into_inner().unwrap());
    println!("{tally}");
    assert!(broken.is_empty(), "{} of {seeds} seeds:\n{}", broken.len(), broken[..broken.len().min(REPORTED_MAX)].join("\n"));
    let missing = tally.missing(everything());
    assert!(seeds < SEEDS || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn one_seed() {
    let seed = number("SIMULATION_SEED").unwrap_or(0);
    let shown = play(seed);
    println!("{}", shown.history.join("\n"));
    assert!(shown.broken.is_empty(), "{}", report(seed, &shown));
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..100 {
        let (one, other) = (play(seed), play(seed));
        let differs = one.history.iter().zip(&other.history).find(|(one, other)| one != other);
        assert!(differs.is_none(), "seed {seed}: {differs:?}");
        assert_eq!(one.history.len(), other.history.len(), "seed {seed}");
    }
}

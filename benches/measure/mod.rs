//! What the benchmarks share: knobs, latencies, the shop that is measured, and what it takes of the machine.

pub(crate) mod knob;
pub(crate) mod latencies;
pub(crate) mod machine;
pub(crate) mod server;
pub(crate) mod set_up;

pub(crate) use crate::figures::measuring;

use crate::figures::{Book, Verdict};
use std::path::Path;
use std::process::ExitCode;

/// Writes what was measured where the table and the page of all benchmarks find it; answers what was wrong with that.
pub(crate) fn keep(book: &Book) -> Option<String> {
    if !measuring() {
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    match book.write(&Book::folder(target)) {
        Ok(path) => {
            println!("figures: {}", path.display());
            None
        }
        Err(error) => Some(format!("the figures cannot be written: {error}")),
    }
}

/// Whether everything was right.
pub(crate) fn right_unless(faults: &[String]) -> Verdict {
    if faults.is_empty() { Verdict::Right } else { Verdict::Wrong(faults.join("; ")) }
}

/// Ends a benchmark: says everything that was wrong.
pub(crate) fn verdict(faults: &[String]) -> ExitCode {
    for fault in faults {
        println!("FAULT  {fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Ends a benchmark that was asked for something it cannot do.
pub(crate) fn wrong_usage(wrong: &str) -> ExitCode {
    eprintln!("error: {wrong}");
    ExitCode::from(2)
}

//! What the benchmarks share: knobs, latencies, the shop that is measured, and what it takes of the machine.

pub(crate) mod knob;
pub(crate) mod latencies;
pub(crate) mod machine;
pub(crate) mod server;
pub(crate) mod set_up;

use std::process::ExitCode;

/// Whether this is `cargo bench`, which says so; without it this is a run of the tests, which want to know only that it works.
pub(crate) fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
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

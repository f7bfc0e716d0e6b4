//! Which run of `cargo bench` this is, and on what machine.

use std::fs;
use std::path::Path;

/// The same for every bench of one run of `cargo bench`, and for no other: who started this process, and when that one was started.
pub(super) fn id() -> String {
    let parent = rustix::process::getppid().map_or(0, |process| process.as_raw_nonzero().get());
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    // The name of the program, the second field, may hold anything; the start is the 20th of what follows its parenthesis.
    let started = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19)).unwrap_or("?");
    format!("{parent} since {started}")
}

/// The machine in a few words.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let kib = field("/proc/meminfo", "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
    let memory = kib.map_or_else(|| "memory unknown".to_owned(), |kib| format!("{} GiB", (kib + (1 << 19)) >> 20));
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {processor}, {memory}, {} {}", std::env::consts::OS, system.trim())
}

fn field(file: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.split_once(':')?.1.trim().to_owned()))
}

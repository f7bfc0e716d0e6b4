//! What the machine can do, and what a process takes of it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

const APPEND_BYTES: usize = 4 * 1_024;

/// How many times a second an append of 4 KiB can be synced to the disk of a directory, one after the other.
pub(super) fn syncs_per_second(directory: &Path, lasting: Duration) -> f64 {
    let path = directory.join("sync");
    let mut file = File::create(&path).expect("a file in the directory of the shop");
    let begin = Instant::now();
    let mut syncs = 0_u32;
    while begin.elapsed() < lasting {
        file.write_all(&[0x5a; APPEND_BYTES]).expect("there is room on the disk");
        file.sync_all().expect("the disk syncs");
        syncs += 1;
    }
    let rate = f64::from(syncs) / begin.elapsed().as_secs_f64();
    fs::remove_file(path).expect("the file is there");
    rate
}

/// The memory that a process holds now.
pub(super) fn resident_kib(process: u32) -> u64 {
    status_kib(process, "VmRSS:")
}

/// The most memory that a process ever held.
pub(super) fn peak_kib(process: u32) -> u64 {
    status_kib(process, "VmHWM:")
}

fn status_kib(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let value = status.lines().find_map(|line| line.strip_prefix(field));
    value.and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}

/// The processor time that a process took, in user and kernel mode.
pub(super) fn cpu_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program, the second field, may hold anything; what follows its parenthesis is numbers.
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
}

//! What the disk can do.

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

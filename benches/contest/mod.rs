//! What benches of contended paths share: crowds, places to run them, bare statements to compare with, and how criterion measures them.

pub(crate) mod crowd;
pub(crate) mod place;
pub(crate) mod raw;
#[cfg(feature = "distributed")]
pub(crate) mod server;

mod arena;
mod tally;
pub(crate) mod waits;

pub(crate) use arena::{Arena, Setting};

use std::path::Path;

/// A folder for temporary files under the target directory of the build.
pub(crate) fn temporary() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The target directory of the build.
pub(crate) fn target() -> &'static Path {
    temporary().parent().unwrap_or(Path::new("target"))
}

use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Writes a line to standard output. Whoever has stopped reading, such as `head`, has read enough: that is no failure.
///
/// # Panics
/// If it cannot be written for another reason, such as a full disk.
pub fn say(line: impl Display) {
    write(std::io::stdout(), &line);
}

/// Writes a line to standard error, as [`say`] does.
pub(super) fn remark(line: impl Display) {
    write(std::io::stderr(), &line);
}

fn write(mut to: impl Write, line: &dyn Display) {
    if let Err(error) = writeln!(to, "{line}") {
        assert!(error.kind() == ErrorKind::BrokenPipe, "a line cannot be written: {error}");
    }
}

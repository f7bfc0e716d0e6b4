use std::fmt::Arguments;
use std::io::Write;

/// Writes a line to standard output. Whoever has stopped reading, such as `head`, has read enough: that is no failure.
pub fn say(line: Arguments<'_>) {
    let _gone = writeln!(std::io::stdout(), "{line}");
}

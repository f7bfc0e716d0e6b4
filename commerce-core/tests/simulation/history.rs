//! What happened in a run, in a form that can be read and compared.

use crate::clock::JumpingClock;
use commerce_core::Clock;
use std::fmt;
use std::sync::Arc;

/// Who did what when, and how it was answered.
pub(crate) struct History {
    clock: Arc<JumpingClock>,
    lines: Vec<String>,
    broken: Vec<String>,
}

impl History {
    pub(crate) fn new(clock: Arc<JumpingClock>) -> Self {
        Self { clock, lines: Vec::new(), broken: Vec::new() }
    }

    pub(crate) fn note(&mut self, who: &str, what: &str) {
        let (running, now) = (self.clock.running_ms(), self.clock.now());
        self.lines.push(format!("{running:>7} ms  {now}  {who:<10} {what}"));
    }

    pub(crate) fn broken(&mut self, what: &str) {
        self.note("BROKEN", what);
        self.broken.push(what.to_owned());
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What was not as it must be.
    pub(crate) fn faults(&self) -> &[String] {
        &self.broken
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

use super::remark;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// How far a long piece of work is: a bar on a terminal, or a count where nobody knows how much there is; a line a step elsewhere.
///
/// With `NO_COLOR` in the environment nothing is coloured.
pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    step: String,
    counts_only: bool,
}

impl Progress {
    /// Begins a piece of work. Everything is written to standard error.
    pub fn begin(what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0).with_style(style("{prefix} {bar:30} {pos}/{len} {msg}")));
        Self { what, bar: bar.map(|bar| bar.with_prefix(what)), step: String::new(), counts_only: false }
    }

    /// Tells which step it is at, and how many of its `total` parts are done; 0 if nobody knows.
    pub fn at(&mut self, step: &str, done: u64, total: u64) {
        match &self.bar {
            Some(bar) => {
                if total == 0 && !self.counts_only {
                    self.counts_only = true;
                    bar.set_style(style("{prefix} {spinner} {human_pos} {msg}"));
                }
                bar.set_length(total.max(done));
                bar.set_position(done);
                bar.set_message(step.to_owned());
            }
            None if self.step != step => remark(format_args!("{}: {step}", self.what)),
            None => {}
        }
        if self.step != step {
            step.clone_into(&mut self.step);
        }
    }

    /// Ends the piece of work, and takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

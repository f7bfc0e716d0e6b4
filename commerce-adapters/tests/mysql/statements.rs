//! Statements as the driver reports them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

thread_local! {
    /// What has run on this thread since somebody wanted to know.
    static NOTED: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// Lets the driver report, for the whole process: whether anybody listens is decided when a statement first runs anywhere.
pub(crate) fn listen() {
    let reports = Targets::new().with_target("sqlx::query", Level::DEBUG);
    let listening = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Listener.with_filter(reports)));
    listening.expect("nobody else listens");
}

/// Runs something on this thread; answers the statements it came to.
pub(crate) async fn noted(work: impl Future<Output = ()>) -> BTreeSet<String> {
    NOTED.set(Some(BTreeSet::new()));
    work.await;
    NOTED.take().unwrap_or_default()
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        NOTED.with_borrow_mut(|noted| {
            let Some(noted) = noted else { return };
            let mut report = Report::default();
            event.record(&mut report);
            // A statement of a few words is its own summary.
            let statement = if report.statement.is_empty() { report.summary } else { report.statement };
            noted.insert(statement.trim().to_owned());
        });
    }
}

#[derive(Default)]
struct Report {
    summary: String,
    statement: String,
}

impl Visit for Report {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

//! Statements as the driver reports them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// What ran on this thread.
#[derive(Clone, Default)]
pub(crate) struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Statements {
    /// Notes the statements of this thread until the guard is dropped.
    pub(crate) fn note(&self) -> DefaultGuard {
        let reports = Targets::new().with_target("sqlx::query", tracing::Level::DEBUG);
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone().with_filter(reports)))
    }

    pub(crate) fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut report = Report::default();
        event.record(&mut report);
        // A statement of a few words is its own summary.
        let statement = if report.statement.is_empty() { report.summary } else { report.statement };
        self.0.lock().unwrap().insert(statement.trim().to_owned());
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

use super::LogFormat;
use tracing_subscriber::EnvFilter;

/// Writes log lines to standard error, filtered by `RUST_LOG` (default `info`). Calling it twice changes nothing.
pub fn start_logging(format: LogFormat) {
    start(format, "info");
}

/// The same for a tool, which tells by itself what it does: by default nothing but warnings gets between the lines it writes.
pub fn start_logging_of_a_tool(format: LogFormat) {
    start(format, "warn");
}

fn start(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let logging =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).log_internal_errors(false);
    let started = match format {
        LogFormat::Text => logging.try_init(),
        LogFormat::Json => logging.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

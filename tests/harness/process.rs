//! A server process: started on a free port, signalled by its own id, and gone when its value is dropped.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const SERVER: &str = env!("CARGO_BIN_EXE_commerce-api");
const OPERATORS_TOOL: &str = env!("CARGO_BIN_EXE_commerce-admin");
const START_WITHIN: Duration = Duration::from_mins(1);
const END_WITHIN: Duration = Duration::from_mins(1);

/// A server that accepts connections.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Held open: a server that prints more must not meet a closed pipe.
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// A server that ended before it accepted connections.
#[derive(Debug)]
pub(crate) struct NotStarted {
    pub(crate) code: Option<i32>,
    pub(crate) messages: String,
}

/// A directory of its own, on the disk that the build is on: a file system in memory would make syncing free.
pub(crate) fn scratch_directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("shop-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary directory")
}

/// The operator's tool, for the shop in a directory.
pub(crate) fn admin(directory: &Path) -> Command {
    command(OPERATORS_TOOL, directory)
}

/// A program for the shop in a directory; it inherits nothing else that would configure it.
pub(crate) fn command(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    let configured = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("COMMERCE_") || name == "RUST_LOG");
    configured.for_each(|name| {
        command.env_remove(name);
    });
    let store = format!("sqlite:{}", directory.join("commerce.db").display());
    command.args(["--store", &store]).kill_on_drop(true).stdin(Stdio::null());
    command
}

impl Server {
    /// Starts a server on a shop's directory and waits until it listens. What it says on standard error goes to a file there.
    pub(crate) async fn start(directory: &Path, arguments: &[&str]) -> Result<Self, NotStarted> {
        let log = log_file(directory);
        let standard_error = File::options().create(true).append(true).open(&log).expect("a log file");
        let mut command = command(SERVER, directory);
        command.args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(standard_error).spawn().expect("commerce-api can be run");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe")).lines();
        let listening = timeout(START_WITHIN, async {
            while let Some(line) = stdout.next_line().await.expect("standard output can be read") {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return Some(address.parse().expect("an address"));
                }
            }
            None
        });
        if let Some(address) = listening.await.expect("the server listens in time, or ends") {
            return Ok(Self { child, address, _stdout: stdout });
        }
        let status = timeout(END_WITHIN, child.wait()).await.expect("a server that closed its output ends").expect("it can be waited for");
        Err(NotStarted { code: status.code(), messages: std::fs::read_to_string(log).unwrap_or_default() })
    }

    /// The id of the process, while it runs.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("a server that was not waited for")
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("a process of ours can be signalled");
    }

    /// Waits for the process to end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        timeout(END_WITHIN, self.child.wait()).await.expect("the server ends in time").expect("it can be waited for")
    }
}

/// Where a server says what it does.
pub(crate) fn log_file(directory: &Path) -> PathBuf {
    directory.join("commerce-api.log")
}

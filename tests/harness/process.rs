//! A process of a shop: started until it says that it is ready, signalled by its own id, and gone when its value is dropped.

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

/// A process that has said that it is ready.
pub(crate) struct Process {
    child: Child,
    /// Held open: a process that prints more must not meet a closed pipe.
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// A process that ended before it was ready.
#[derive(Debug)]
pub(crate) struct NotStarted {
    pub(crate) code: Option<i32>,
    pub(crate) messages: String,
}

impl Process {
    /// Starts a program and waits until it prints a line that begins with `announcement`; answers the rest of that line, too. What it says on standard
    /// error is added to a file.
    pub(crate) async fn start(mut command: Command, log: &Path, announcement: &str) -> Result<(Self, String), NotStarted> {
        let standard_error = File::options().create(true).append(true).open(log).expect("a log file");
        let mut child = command.stdout(Stdio::piped()).stderr(standard_error).spawn().expect("the program can be run");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe")).lines();
        let announced = timeout(START_WITHIN, async {
            while let Some(line) = stdout.next_line().await.expect("standard output can be read") {
                if let Some(rest) = line.strip_prefix(announcement) {
                    return Some(rest.to_owned());
                }
            }
            None
        });
        if let Some(rest) = announced.await.expect("the process is ready in time, or ends") {
            return Ok((Self { child, _stdout: stdout }, rest));
        }
        let status = timeout(END_WITHIN, child.wait()).await.expect("a process that closed its output ends").expect("it can be waited for");
        Err(NotStarted { code: status.code(), messages: std::fs::read_to_string(log).unwrap_or_default() })
    }

    /// The id of the process, while it runs.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("a process that was not waited for")
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("a process of ours can be signalled");
    }

    /// Waits for it to end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        timeout(END_WITHIN, self.child.wait()).await.expect("the process ends in time").expect("it can be waited for")
    }
}

/// An API server that accepts connections.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server on the file in a directory, and waits until it listens. What it says on standard error goes to a file there.
    pub(crate) async fn start(directory: &Path, arguments: &[&str]) -> Result<Self, NotStarted> {
        Self::run(command(SERVER, directory), &log_file(directory), arguments).await
    }

    /// Runs a server's command with more arguments, and waits until it listens; unless they say where, on a free port.
    pub(crate) async fn run(mut command: Command, log: &Path, arguments: &[&str]) -> Result<Self, NotStarted> {
        command.args(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let (process, address) = Process::start(command, log, "listening on http://").await?;
        Ok(Self { process, address: address.parse().expect("an address") })
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for it to end.
    pub(crate) async fn ended(self) -> ExitStatus {
        self.process.ended().await
    }
}

/// A directory of its own, on the disk that the build is on: a file system in memory would make syncing free.
pub(crate) fn scratch_directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("shop-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary directory")
}

/// The operator's tool, for the file in a directory.
pub(crate) fn admin(directory: &Path) -> Command {
    command(OPERATORS_TOOL, directory)
}

/// A program for the file in a directory.
fn command(program: &str, directory: &Path) -> Command {
    let mut command = unconfigured(program);
    command.args(["--store", &store_in(directory)]);
    command
}

/// A program that inherits nothing that would configure it.
pub(crate) fn unconfigured(program: &str) -> Command {
    let mut command = Command::new(program);
    let configured = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("COMMERCE_") || name == "RUST_LOG");
    configured.for_each(|name| {
        command.env_remove(name);
    });
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

/// How the file in a directory is named on a command line.
pub(crate) fn store_in(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("commerce.db").display())
}

/// Where a server says what it does.
pub(crate) fn log_file(directory: &Path) -> PathBuf {
    directory.join("commerce-api.log")
}

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(20);

pub(crate) fn is_installed() -> bool {
    Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A server that belongs to one test, on a free port, with its data in a folder that goes with the test.
pub(crate) struct OwnServer {
    pub(crate) port: u16,
    options: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

impl OwnServer {
    /// Starts a server with these options, such as `--appendonly yes`.
    pub(crate) fn start(options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut server = Self { port, options: options.iter().map(ToString::to_string).collect(), folder, process: None };
        server.begin();
        server
    }

    /// Starts the process, on whatever its folder holds.
    pub(crate) fn begin(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder().join("log")).unwrap();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(self.folder())
            .args(&self.options);
        self.process = Some(command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn().unwrap());
        let deadline = Instant::now() + START_MAX;
        while self.ask("PING").is_none() {
            assert!(Instant::now() < deadline, "the server on port {} does not start", self.port);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the process at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends a command, given in words; `None` if it fails.
    pub(crate) fn ask(&self, words: &str) -> Option<redis::Value> {
        let mut connection = redis::Client::open(self.url()).ok()?.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next()?);
        for word in words {
            command.arg(word);
        }
        command.query(&mut connection).ok()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}

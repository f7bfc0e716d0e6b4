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
        ask(self.port, words)
    }

    fn says(&self, words: &str) -> String {
        format!("{:?}", self.ask(words))
    }
}

fn ask(port: u16, words: &str) -> Option<redis::Value> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).ok()?;
    let mut connection = client.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next()?);
    for word in words {
        command.arg(word);
    }
    command.query(&mut connection).ok()
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl OwnServer {
    /// Cuts the second half off the log of an ended server: what was written last is lost, as it may be when the power goes.
    pub(crate) fn cut_log(&self) {
        let folder = self.folder().join("appendonlydir");
        let log = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let log = log.into_iter().find(|path| path.to_string_lossy().ends_with(".incr.aof")).unwrap();
        let file = File::options().write(true).open(log).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length / 2).unwrap();
    }
}

/// A master, its replica and a sentinel that belong to one test.
pub(crate) struct OwnSentinel {
    pub(crate) master: OwnServer,
    pub(crate) replica: OwnServer,
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl OwnSentinel {
    pub(crate) fn start() -> Self {
        let master = OwnServer::start(&[]);
        let replica = OwnServer::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]);
        let deadline = Instant::now() + START_MAX;
        while !replica.says("ROLE").contains("connected") {
            assert!(Instant::now() < deadline, "the replica does not follow");
            std::thread::sleep(Duration::from_millis(20));
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let config = folder.path().join("sentinel.conf");
        let of = "shop";
        let lines = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {of} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {of} 500\n\
             sentinel failover-timeout {of} 2000\n",
            folder.path().display(),
            master.port,
        );
        std::fs::write(&config, lines).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("redis-server");
        let process =
            command.arg(&config).arg("--sentinel").stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let own = Self { master, replica, port, process, _folder: folder };
        // A failover is possible once the sentinel has found the replica.
        let deadline = Instant::now() + START_MAX;
        while !ask(own.port, "SENTINEL REPLICAS shop").is_some_and(|found| format!("{found:?}").contains(&own.replica.port.to_string())) {
            assert!(Instant::now() < deadline, "the sentinel does not find the replica");
            std::thread::sleep(Duration::from_millis(50));
        }
        own
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/shop", self.port)
    }
}

impl Drop for OwnSentinel {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

use std::iter::StepBy;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/services");
/// Where the software of the broker is, unless the environment says otherwise.
const SOFTWARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/services");
/// It may have to be installed first.
const WITHIN: Duration = Duration::from_mins(5);
/// Its ports are those of the shared one and this much more.
const OFFSETS: Range<u16> = 20_000..30_000;
const OFFSET_STEP: usize = 50;
const PORTS: [u16; 2] = [9092, 9093];

/// A broker of a test's own. It ends with this process, however that ends.
pub(crate) struct Broker {
    folder: PathBuf,
    offset: u16,
    lender: Child,
    /// The lender takes everything away when this is closed.
    held: Option<ChildStdin>,
}

impl Broker {
    pub(crate) async fn lent() -> Self {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap().keep();
        let offset = free_offset();
        let mut command = script(&folder, offset);
        // In a group of its own: a signal from the terminal must not keep it from cleaning up.
        command.args(["lend", "kafka"]).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut lender = command.spawn().expect("scripts/services can be run");
        let held = lender.stdin.take();
        let mut said = BufReader::new(lender.stdout.take().unwrap()).lines();
        let lent = async {
            while let Some(line) = said.next_line().await.unwrap() {
                if line == "lent" {
                    return true;
                }
            }
            false
        };
        assert!(timeout(WITHIN, lent).await.expect("the broker starts in time"), "the broker does not start");
        Self { folder, offset, lender, held }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", PORTS[0] + self.offset)
    }

    pub(crate) async fn stop(&self) {
        self.run("down").await;
    }

    pub(crate) async fn start(&self) {
        self.run("up").await;
    }

    async fn run(&self, what: &str) {
        let mut command = script(&self.folder, self.offset);
        let output = timeout(WITHIN, command.args([what, "--only", "kafka"]).stdin(Stdio::null()).output()).await;
        let output = output.expect("it happens in time").expect("scripts/services can be run");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Gives it back, and waits until nothing is left of it.
    pub(crate) async fn returned(mut self) {
        drop(self.held.take());
        timeout(WITHIN, self.lender.wait()).await.expect("it ends in time").unwrap();
        assert!(!self.folder.exists(), "{} is left", self.folder.display());
    }
}

/// An offset at which every port is free, and that nobody in this process is given again.
fn free_offset() -> u16 {
    static OFFSETS_LEFT: Mutex<Option<StepBy<Range<u16>>>> = Mutex::new(None);
    let mut left = OFFSETS_LEFT.lock().unwrap();
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let offsets = left.get_or_insert_with(|| OFFSETS.step_by(OFFSET_STEP));
    offsets.find(|offset| PORTS.iter().all(|port| is_free(port + offset))).expect("free ports")
}

fn script(folder: &Path, offset: u16) -> Command {
    let given = ["COMMERCE_SERVICES_SOFTWARE", "COMMERCE_SERVICES_DIR"].iter().find_map(std::env::var_os);
    let mut command = Command::new(SCRIPT);
    command
        .env("COMMERCE_SERVICES_DIR", folder)
        .env("COMMERCE_SERVICES_SOFTWARE", given.unwrap_or_else(|| SOFTWARE.into()))
        .env("COMMERCE_SERVICES_PORT_OFFSET", offset.to_string());
    command
}

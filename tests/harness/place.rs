//! Where the shop of a test lives: in one file, or on servers.

use crate::harness::process::{scratch_directory, store_in, unconfigured};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

#[cfg(feature = "distributed")]
use crate::premises::{Addresses, Premises};

pub(crate) const API: &str = env!("CARGO_BIN_EXE_commerce-api");
pub(crate) const ADMIN: &str = env!("CARGO_BIN_EXE_commerce-admin");
pub(crate) const CONSUMER: &str = env!("CARGO_BIN_EXE_commerce-consumer");
pub(crate) const SCHEDULER: &str = env!("CARGO_BIN_EXE_commerce-scheduler");

/// What shops are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetUp {
    /// A file, and one process that does everything.
    OneFile,
    /// MySQL, Redis and Kafka, and several processes of each kind.
    Servers,
}

thread_local! {
    /// Each test has a thread of its own.
    static SET_UP: Cell<SetUp> = const { Cell::new(SetUp::OneFile) };
}

impl SetUp {
    /// What the shops of the present test are made of.
    pub(crate) fn of_this_test() -> Self {
        SET_UP.get()
    }

    /// Makes the shops of the present test of this.
    pub(crate) fn choose(self) {
        SET_UP.set(self);
    }

    /// Why no shop can be made of this here; `None` if it can.
    pub(crate) fn is_out_of_reach(self) -> Option<String> {
        match self {
            Self::OneFile => None,
            #[cfg(not(feature = "distributed"))]
            Self::Servers => Some("the feature `distributed` is off".to_owned()),
            #[cfg(feature = "distributed")]
            Self::Servers => Addresses::missing(),
        }
    }
}

/// Where a shop lives. Dropping it leaves nothing behind.
pub(crate) enum Place {
    OneFile(TempDir),
    #[cfg(feature = "distributed")]
    Servers(Premises),
}

impl Place {
    /// A place where no shop has been.
    #[cfg_attr(not(feature = "distributed"), expect(clippy::unused_async, reason = "what is on servers takes a while"))]
    pub(crate) async fn new() -> Self {
        match SetUp::of_this_test() {
            SetUp::OneFile => Self::file(),
            #[cfg(feature = "distributed")]
            SetUp::Servers => Self::Servers(Premises::open(Addresses::given()).await),
            #[cfg(not(feature = "distributed"))]
            SetUp::Servers => unreachable!("such a test is left out"),
        }
    }

    /// A file that does not exist yet.
    pub(crate) fn file() -> Self {
        Self::OneFile(scratch_directory())
    }

    /// For logs, and for the file if there is one.
    pub(crate) fn directory(&self) -> &Path {
        match self {
            Self::OneFile(directory) => directory.path(),
            #[cfg(feature = "distributed")]
            Self::Servers(premises) => premises.directory(),
        }
    }

    /// What the shop has on the servers.
    #[cfg(feature = "distributed")]
    pub(crate) fn premises(&self) -> &Premises {
        match self {
            Self::OneFile(_) => panic!("a shop in one file has nothing on servers"),
            Self::Servers(premises) => premises,
        }
    }

    /// Whether it is a file.
    pub(crate) const fn is_a_file(&self) -> bool {
        matches!(self, Self::OneFile(_))
    }

    /// The key of the tokens of every API server, where they have to share one.
    pub(crate) fn token_key(&self) -> Option<PathBuf> {
        match self {
            Self::OneFile(_) => None,
            #[cfg(feature = "distributed")]
            Self::Servers(premises) => Some(premises.token_key()),
        }
    }

    /// How a program is told where the shop lives.
    pub(crate) fn arguments(&self) -> Vec<String> {
        match self {
            Self::OneFile(directory) => vec!["--store".to_owned(), store_in(directory.path())],
            #[cfg(feature = "distributed")]
            Self::Servers(premises) => premises.arguments(),
        }
    }

    /// A program for the shop that lives here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = unconfigured(program);
        command.args(self.arguments());
        command
    }

    /// Where the process of this name says what it does.
    pub(crate) fn log_of(&self, name: &str) -> PathBuf {
        self.directory().join(format!("{name}.log"))
    }

    /// What all processes here have said on standard error.
    pub(crate) fn logs(&self) -> String {
        let files = std::fs::read_dir(self.directory()).expect("the directory can be read").filter_map(Result::ok);
        let logs = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
    }
}

//! The file of a shop without a server, and what an operator's programs say of it.

use crate::harness::process::{admin, command, scratch_directory};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;
use tokio::process::Command;

const SCHEDULER: &str = env!("CARGO_BIN_EXE_commerce-scheduler");

/// The scheduler, for the shop in a directory.
pub(crate) fn scheduler(directory: &Path) -> Command {
    command(SCHEDULER, directory)
}

/// A shop that nobody runs.
pub(crate) struct ShopFile(TempDir);

/// What a program said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) answer: String,
    pub(crate) messages: String,
}

impl Said {
    /// Runs a program to its end.
    pub(crate) async fn by(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().await.expect("it can be run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: status.code(), answer: text(&stdout), messages: text(&stderr) }
    }

    /// The answer of a program that ended like this.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.answer, self.messages);
        self.answer
    }

    /// The one sentence of a program that was refused like this.
    #[track_caller]
    pub(crate) fn refused(self, code: i32) -> String {
        let Self { code: ended, answer, messages } = self;
        assert!(ended == Some(code) && answer.is_empty() && !messages.contains("panicked"), "{ended:?}: {answer}{messages}");
        messages
    }
}

impl ShopFile {
    pub(crate) const fn in_directory(directory: TempDir) -> Self {
        Self(directory)
    }

    pub(crate) fn into_directory(self) -> TempDir {
        self.0
    }

    /// The same shop once more.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self(scratch_directory());
        for file in self.0.path().read_dir().expect("a directory") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), copy.0.path().join(file.file_name())).expect("a copy");
        }
        copy
    }

    /// A demo shop.
    pub(crate) async fn demo(arguments: &[&str]) -> Self {
        let file = Self(scratch_directory());
        file.admin(&[&["demo"], arguments].concat()).await.ended(0);
        file
    }

    /// Runs the operator's tool.
    pub(crate) async fn admin(&self, arguments: &[&str]) -> Said {
        Said::by(admin(self.0.path()).args(arguments)).await
    }

    /// Runs the scheduler.
    pub(crate) async fn scheduler(&self, arguments: &[&str]) -> Said {
        Said::by(scheduler(self.0.path()).args(arguments)).await
    }

    async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.0.path().join("commerce.db"));
        options.connect().await.expect("the file is there")
    }

    /// Changes what is stored behind the shop's back.
    pub(crate) async fn tamper(&self, statements: &str) {
        let mut connection = self.connection().await;
        connection.execute(AssertSqlSafe(statements)).await.expect("it can be written");
        connection.close().await.expect("it is written");
    }

    /// A number that is stored.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let mut connection = self.connection().await;
        let row = connection.fetch_one(AssertSqlSafe(query)).await.expect("a row");
        row.get(0)
    }
}

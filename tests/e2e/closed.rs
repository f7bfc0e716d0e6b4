//! A shop without a server, and what an operator's programs say of it.

use crate::place::{ADMIN, Place, SCHEDULER};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use std::process::Output;
use tokio::process::Command;

/// A shop that nobody runs.
pub(crate) struct ClosedShop(Place);

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

impl ClosedShop {
    pub(crate) const fn at(place: Place) -> Self {
        Self(place)
    }

    pub(crate) fn into_place(self) -> Place {
        self.0
    }

    /// The same shop in another file.
    pub(crate) fn copy(&self) -> Self {
        let copy = Place::file();
        for file in self.0.directory().read_dir().expect("a directory") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), copy.directory().join(file.file_name())).expect("a copy");
        }
        Self(copy)
    }

    /// A demo shop.
    pub(crate) async fn demo(arguments: &[&str]) -> Self {
        let shop = Self(Place::new().await);
        shop.admin(&[&["demo"], arguments].concat()).await.ended(0);
        shop
    }

    /// Runs the operator's tool.
    pub(crate) async fn admin(&self, arguments: &[&str]) -> Said {
        Said::by(self.0.command(ADMIN).args(arguments)).await
    }

    /// Runs the scheduler.
    pub(crate) async fn scheduler(&self, arguments: &[&str]) -> Said {
        Said::by(self.0.command(SCHEDULER).args(arguments)).await
    }

    /// Changes what is stored in the file behind the shop's back.
    pub(crate) async fn tamper(&self, statements: &str) {
        tamper(&self.0, statements).await;
    }

    /// A number that is stored in the file.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let mut connection = connection(&self.0).await;
        let number = connection.fetch_one(AssertSqlSafe(query)).await.expect("a row").get(0);
        // Closed when it is dropped, it would still take its log away while others read the directory.
        connection.close().await.expect("it is closed");
        number
    }
}

/// Changes what is stored in a file behind the back of whoever has it.
pub(crate) async fn tamper(place: &Place, statements: &str) {
    let mut connection = connection(place).await;
    connection.execute(AssertSqlSafe(statements)).await.expect("it can be written");
    connection.close().await.expect("it is written");
}

async fn connection(place: &Place) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(place.directory().join("commerce.db"));
    options.connect().await.expect("the file is there")
}

//! A client of one shop, and what it expects of every answer.

use crate::harness::http::{Connection, Head, Request};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;

/// A client with a connection of its own to one of the API servers of a shop.
pub(crate) struct Client {
    servers: Rc<[SocketAddr]>,
    /// Which of them it is connected to, counted round and round.
    number: usize,
    token: Option<String>,
    connection: Connection,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) request: String,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client of the server at an address.
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self::of([address].into(), 0)
    }

    /// A client of one of these servers.
    pub(crate) fn of(servers: Rc<[SocketAddr]>, number: usize) -> Self {
        let connection = Connection::to(servers[number % servers.len()]);
        Self { servers, number, token: None, connection }
    }

    /// Another client with the same identity, of the next server.
    pub(crate) fn another(&self) -> Self {
        Self { token: self.token.clone(), ..Self::of(Rc::clone(&self.servers), self.number + 1) }
    }

    /// The server it is connected to.
    #[cfg(feature = "distributed")]
    pub(crate) fn address(&self) -> SocketAddr {
        self.servers[self.number % self.servers.len()]
    }

    /// Logs in, and acts as this user from now on.
    pub(crate) async fn log_in(mut self, email: &str, password: &str) -> Self {
        let session = self.post("/api/auth/login", &json!({ "email": email, "password": password })).await.ok();
        self.token = Some(session["accessToken"].as_str().expect("a token").to_owned());
        self
    }

    /// Reads something.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    /// Reads something that has to be there.
    pub(crate) async fn read(&mut self, path: &str) -> Value {
        self.get(path).await.ok()
    }

    /// Asks for a change.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[]).await
    }

    /// Asks for a change, with more headers.
    pub(crate) async fn post_with(&mut self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send("POST", path, &headers, &body).await
    }

    /// Sends a request of any shape; it has to be answered.
    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        match self.try_send(method, path, headers, body).await {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path} was not answered: {error}"),
        }
    }

    /// Sends a request of any shape to a server that may go away.
    pub(crate) async fn try_send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<Answer> {
        let lines = self.header_lines(headers);
        let response = self.connection.send(Request { method, path, headers: &lines, body }).await?;
        let request = format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(300)]));
        Ok(Answer { request, head: response.head, body: response.body })
    }

    /// Sends a GET whose answer is a stream; gives the connection on which it comes.
    pub(crate) async fn stream(mut self, path: &str, headers: &[(&str, &str)]) -> (Head, Connection) {
        let headers: Vec<_> = headers.iter().copied().chain([("accept", "text/event-stream")]).collect();
        let headers = self.header_lines(&headers);
        let request = Request { method: "GET", path, headers: &headers, body: b"" };
        let head = self.connection.begin(request).await.expect("an answer");
        (head, self.connection)
    }

    fn header_lines(&self, headers: &[(&str, &str)]) -> String {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        headers.iter().fold(token.unwrap_or_default(), |mut lines, (name, value)| {
            write!(lines, "{name}: {value}\r\n").expect("a string takes all");
            lines
        })
    }
}

impl Answer {
    /// The status code.
    pub(crate) const fn status(&self) -> u16 {
        self.head.status
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self} is no JSON: {error}"))
    }

    /// The data of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status()), "{self}");
        let mut envelope = self.json();
        assert_eq!((&envelope["meta"]["result"], &envelope["meta"]["errorCode"]), (&json!("SUCCESS"), &json!("")), "{self}");
        envelope["data"].take()
    }

    /// The code of a refusal, which has to be in the envelope with a sentence about it.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert!(self.status() >= 400, "{self}");
        let envelope = self.json();
        let meta = &envelope["meta"];
        assert_eq!((&meta["result"], &envelope["data"]), (&json!("FAIL"), &Value::Null), "{self}");
        assert!(meta["message"].as_str().is_some_and(|message| message.len() > 10), "no sentence: {self}");
        meta["errorCode"].as_str().expect("a code").to_owned()
    }

    /// Checks that it is this refusal.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status(), self.code().as_str()), (status, code), "{self}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} → {} {}", self.request, self.status(), self.text())
    }
}

//! A client that listens to a stream of server-sent events.

use crate::client::Client;
use crate::harness::http::Connection;
use serde_json::Value;
use tokio::time::timeout;

/// A stream of server-sent events.
pub(crate) struct Events {
    connection: Connection,
    text: String,
    /// What a client would send as `Last-Event-ID`.
    pub(crate) last_id: Option<String>,
}

impl Client {
    /// Begins to listen; the stream has to be there.
    pub(crate) async fn listen(self, path: &str, headers: &[(&str, &str)]) -> Events {
        let (head, connection) = self.stream(path, headers).await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")), "{path}");
        Events { connection, text: String::new(), last_id: None }
    }
}

impl Events {
    /// The data of the next event of this name; `None` at the end of the stream.
    pub(crate) async fn next(&mut self, name: &str) -> Option<Value> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
                self.last_id = field("id").map(str::to_owned).or(self.last_id.take());
                let data = (field("event") == Some(name)).then(|| serde_json::from_str(field("data")?).ok()).flatten();
                if data.is_some() {
                    return data;
                }
            }
            let chunk = timeout(crate::buyer::PATIENCE, self.connection.chunk()).await.expect("a chunk in time").expect("a chunk");
            if chunk.is_empty() {
                return None;
            }
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

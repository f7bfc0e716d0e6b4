//! A client that reads an event stream.

use crate::shop::{Someone, TestShop, request};
use axum::body::{Body, BodyDataStream};
use axum::http::Method;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::timeout;
use tower::ServiceExt;

const LONG: Duration = Duration::from_secs(10);

pub(crate) struct Listener(BodyDataStream);

impl Listener {
    /// Begins to listen; the stream begins with the hint when to come back.
    pub(crate) async fn on(shop: &TestShop, who: &Someone, path: &str, last_event_id: Option<&str>) -> Self {
        let get = request(Method::GET, path, Some(who)).header("accept", "text/event-stream");
        let get = last_event_id.into_iter().fold(get, |get, id| get.header("last-event-id", id));
        let response = shop.router.clone().oneshot(get.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &"text/event-stream".parse().unwrap()));
        let mut listener = Self(response.into_body().into_data_stream());
        assert_eq!(listener.next().await.as_deref(), Some("retry: 1000\n\n"));
        listener
    }

    /// What is heard next; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let chunk = timeout(LONG, self.0.next()).await.expect("something is heard in time");
        chunk.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap())
    }
}

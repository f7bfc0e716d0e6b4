//! The real server that is measured, and what is asked of it before and after the load.

use super::knob::ServerKnobs;
use crate::harness::http::{Connection, Request};
use crate::harness::process::{Server, admin};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

/// Starts the server on a directory.
///
/// # Panics
/// If it does not start.
pub(crate) async fn start(directory: &Path, knobs: ServerKnobs, more: &[&str]) -> Server {
    let arguments = [knobs.arguments().as_slice(), more].concat();
    match Server::start(directory, &arguments).await {
        Ok(server) => server,
        Err(failed) => panic!("the server ended with {:?}: {}", failed.code, failed.messages),
    }
}

/// Ends the server as an operator would; answers what was wrong with that.
pub(crate) async fn stop(server: Server) -> Option<String> {
    let ending = Instant::now();
    server.signal(Signal::TERM);
    let status = server.ended().await;
    println!("stop   {} ms", ending.elapsed().as_millis());
    (!status.success()).then(|| format!("the server ended with {status}"))
}

/// The `data` of an answer.
///
/// # Panics
/// If the answer is no success.
pub(crate) async fn data(address: SocketAddr, request: Request<'_>) -> Value {
    let response = Connection::to(address).send(request).await.expect("an answer");
    let mut envelope: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(response.head.status, 200, "{} {}: {envelope}", request.method, request.path);
    envelope["data"].take()
}

/// The `data` of what is under a path.
pub(crate) async fn read(address: SocketAddr, path: &str) -> Value {
    data(address, Request { method: "GET", path, headers: "", body: b"" }).await
}

/// The headers with which every connection may act for everybody.
pub(crate) async fn administrator_headers(address: SocketAddr, knobs: ServerKnobs) -> String {
    let headers = "content-type: application/json\r\n";
    if !knobs.authenticated() {
        return headers.to_owned();
    }
    let body = json!({ "email": "admin@commerce.example", "password": "commerce-admin" }).to_string();
    let session = data(address, Request { method: "POST", path: "/api/auth/login", headers, body: body.as_bytes() }).await;
    format!("authorization: Bearer {}\r\n{headers}", session["accessToken"].as_str().expect("a token"))
}

/// Checks every invariant of the shop in a directory; answers what was found.
pub(crate) async fn audit(directory: &Path, when: &str) -> Option<String> {
    let begin = Instant::now();
    let output = admin(directory).arg("audit").output().await.expect("commerce-admin can be run");
    println!("audit  {} {when}, in {} ms", if output.status.success() { "clean" } else { "NOT CLEAN" }, begin.elapsed().as_millis());
    let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (!output.status.success()).then(|| format!("the audit {when}: {}", said()))
}

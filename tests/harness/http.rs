//! A small HTTP/1.1 client: one keep-alive connection, one request at a time. It is its own so that it costs next to nothing beside the server that
//! it measures, and so that tests can send what no proper client would.

use std::io::{Error, ErrorKind, Result, Write as _};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any server may take: its own deadline for a request is 35 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(45);

/// A request; `headers` are whole lines, each ending in CRLF.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a str,
    pub(crate) body: &'a [u8],
}

/// The status line and the headers of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    lines: String,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let lines = std::str::from_utf8(bytes).map_err(|_| broken("a head that is not UTF-8"))?;
        let status = lines.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|digits| digits.parse().ok());
        Ok(Self { status: status.ok_or_else(|| broken("a status line that is none"))?, lines: lines.to_owned() })
    }

    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.lines.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }
}

/// A whole answer.
pub(crate) struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// A connection to the server; it is opened when it is needed, and again after the server closed it.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    outgoing: Vec<u8>,
    received: Vec<u8>,
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the server sent {what}"))
}

impl Connection {
    pub(crate) const fn to(address: SocketAddr) -> Self {
        Self { address, stream: None, outgoing: Vec::new(), received: Vec::new() }
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn send(&mut self, request: Request<'_>) -> Result<Response> {
        let answer = timeout(ANSWER_WITHIN, async {
            let head = self.begin(request).await?;
            let body = if request.method == "HEAD" { Vec::new() } else { self.body(&head).await? };
            Ok(Response { head, body })
        });
        let answer = answer.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "the server did not answer")));
        if answer.as_ref().map_or(true, |response| response.head.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"))) {
            self.close();
        }
        answer
    }

    /// Sends a request and waits for the head of the answer; the body is still to be read.
    pub(crate) async fn begin(&mut self, Request { method, path, headers, body }: Request<'_>) -> Result<Head> {
        self.outgoing.clear();
        write!(self.outgoing, "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}", self.address)?;
        if !body.is_empty() || method == "POST" {
            write!(self.outgoing, "content-length: {}\r\n", body.len())?;
        }
        self.outgoing.extend_from_slice(b"\r\n");
        self.outgoing.extend_from_slice(body);
        let stream = match &mut self.stream {
            Some(open) => open,
            None => self.stream.insert(connect(self.address).await?),
        };
        // A server that refuses a body early may close before it has read it all: its answer counts, not the failed write.
        let sent = stream.write_all(&self.outgoing).await;
        match self.head().await {
            Ok(head) => Ok(head),
            Err(unread) => Err(sent.err().unwrap_or(unread)),
        }
    }

    /// The next chunk of a body that is sent in chunks; empty at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Vec<u8>> {
        let line = self.until(b"\r\n").await?;
        let size = std::str::from_utf8(&line).ok().and_then(|line| usize::from_str_radix(line.split(';').next()?.trim(), 16).ok());
        let size = size.ok_or_else(|| broken("a chunk size that is none"))?;
        let mut chunk = self.exactly(size + 2).await?;
        chunk.truncate(size);
        Ok(chunk)
    }

    fn close(&mut self) {
        self.stream = None;
        self.received.clear();
    }

    async fn head(&mut self) -> Result<Head> {
        Head::parse(&self.until(b"\r\n\r\n").await?)
    }

    async fn body(&mut self, head: &Head) -> Result<Vec<u8>> {
        if head.is_chunked() {
            let mut body = Vec::new();
            loop {
                let chunk = self.chunk().await?;
                if chunk.is_empty() {
                    return Ok(body);
                }
                body.extend_from_slice(&chunk);
            }
        }
        let length = head.header("content-length").map_or(Ok(0), str::parse).map_err(|_| broken("a content length that is none"))?;
        self.exactly(length).await
    }

    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        let mut looked_at = 0;
        loop {
            if let Some(at) = self.received[looked_at..].windows(end.len()).position(|window| window == end) {
                let found = self.received.drain(..looked_at + at + end.len());
                let mut found: Vec<u8> = found.collect();
                found.truncate(found.len() - end.len());
                return Ok(found);
            }
            looked_at = self.received.len().saturating_sub(end.len() - 1);
            self.receive().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.received.len() < length {
            self.receive().await?;
        }
        Ok(self.received.drain(..length).collect())
    }

    async fn receive(&mut self) -> Result<()> {
        let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
        self.received.reserve(4 * 1_024);
        match stream.read_buf(&mut self.received).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

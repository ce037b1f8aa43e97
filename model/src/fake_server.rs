//! A server for tests: it says what it is told to, byte for byte, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The first line, for example `GET /v1/models HTTP/1.1`.
    pub(crate) line: String,
    /// The other lines, in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Asked {
    /// What a header says.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    /// Sends this and closes.
    Send(Vec<u8>),
    /// Sends this and waits until the other side closes.
    Hold(Vec<u8>),
}

impl Play {
    /// A whole reply.
    pub(crate) fn reply(status: &str, kind: &str, body: &str) -> Self {
        Self::Send(head(status, kind, body.len()).into_bytes().into_iter().chain(body.bytes()).collect())
    }

    /// A stream of events, cut up at the empty lines.
    pub(crate) fn events(body: &str) -> Self {
        Self::Send(stream(body))
    }
}

/// The head of a reply of `length` bytes.
pub(crate) fn head(status: &str, kind: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

/// A stream of events that lasts until the connection ends.
pub(crate) fn stream(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    [head, body].concat().into_bytes()
}

/// A running server. It ends with the runtime of the test.
#[derive(Debug)]
pub(crate) struct Fake {
    /// Its address, without a slash at the end.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    left: Arc<Notify>,
}

impl Fake {
    /// Starts one that answers each request with what `plays` says.
    pub(crate) async fn start(plays: impl Fn(&Asked) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { url, asked: Arc::default(), left: Arc::default() };
        let (asked, left, plays) = (fake.asked.clone(), fake.left.clone(), Arc::new(plays));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, asked.clone(), left.clone(), plays.clone()));
            }
        });
        fake
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until the other side has left a held connection.
    pub(crate) async fn left(&self) {
        self.left.notified().await;
    }
}

async fn serve<P: Fn(&Asked) -> Play>(
    mut stream: TcpStream,
    asked: Arc<Mutex<Vec<Asked>>>,
    left: Arc<Notify>,
    plays: Arc<P>,
) {
    let Some(request) = read(&mut stream).await else { return };
    asked.lock().unwrap().push(request.clone());
    match plays(&request) {
        Play::Send(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Play::Hold(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0; 1]).await;
            left.notify_one();
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let headers = lines.map(str::to_ascii_lowercase).collect();
        let request = Asked { line, headers, body: body.to_owned() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return Some(request);
        }
    }
}

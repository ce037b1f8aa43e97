//! A form served on loopback, which remembers what it was sent: the outside check of the second task.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PAGE: &str = include_str!("order.html");
const THANKS: &str =
    "<!doctype html><title>Thank you</title><h1>Thank you</h1><p>Your order was received.</p>";
/// More than any browser's request for this page.
const MAX_REQUEST: usize = 64 * 1024;

/// The server, for as long as it is held.
pub(crate) struct Form {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Form {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Form {
    pub(crate) async fn serve() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&log)));
            }
        });
        Ok(Self { address, received, task })
    }

    /// The bodies of the orders that arrived, as the browser encoded them.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().map(|log| log.clone()).unwrap_or_default()
    }
}

async fn answer(mut stream: TcpStream, log: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut request = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut request).await.ok()? == 0 || request.len() > MAX_REQUEST {
            return None;
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(0);
        if body.len() >= length {
            if head.starts_with("POST") {
                log.lock().ok()?.push(body.to_owned());
            }
            break (head.to_owned(), length);
        }
    };
    let page = if head.starts_with("POST") && length > 0 { THANKS } else { PAGE };
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    stream.write_all(reply.as_bytes()).await.ok()
}

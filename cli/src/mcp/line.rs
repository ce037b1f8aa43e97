//! The line to the client: its calls come one after the other, in the order in which they were read, and
//! when it has left, whatever it wanted is over.
//!
//! Each request runs as a task of its own, and those begin in any order. So the order is taken where
//! the requests are read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::RoleServer;
use rmcp::model::{ClientRequest, GetExtensions as _, JsonRpcMessage};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::watch;

/// Whether the client is there, and whose turn it is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Line {
    left: watch::Sender<bool>,
    waiting: Arc<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    turns: Mutex<BTreeSet<u64>>,
    moved: watch::Sender<()>,
}

/// The place of one call in the line; it is given up when it is dropped.
#[derive(Debug)]
struct Place {
    number: u64,
    waiting: Arc<Waiting>,
}

/// The same, as a call carries it.
#[derive(Debug, Clone)]
pub struct Turn(Arc<Place>);

impl Default for Line {
    fn default() -> Self {
        let waiting = Waiting { turns: Mutex::default(), moved: watch::Sender::new(()) };
        Self { left: watch::Sender::new(false), waiting: Arc::new(waiting) }
    }
}

impl Line {
    /// The same messages as of `inner`, with each call in its place.
    pub fn over<T: Transport<RoleServer>>(&self, inner: T) -> Inlet<T> {
        Inlet { inner, line: self.clone(), next: 0 }
    }

    /// Returns once the client has left.
    pub async fn is_left(&self) {
        // This very sender keeps the channel open.
        let _ = self.left.subscribe().wait_for(|left| *left).await;
    }
}

impl Waiting {
    fn first(&self) -> Option<u64> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).first().copied()
    }
}

impl Turn {
    /// Returns once all calls before it are over.
    pub async fn comes(&self) {
        let mut moved = self.0.waiting.moved.subscribe();
        let is_first = |(): &()| self.0.waiting.first() == Some(self.0.number);
        let _ = moved.wait_for(is_first).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let turns = &self.waiting.turns;
        turns.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
        self.waiting.moved.send_replace(());
    }
}

/// Messages of a client, with each call in its place.
#[derive(Debug)]
pub struct Inlet<T> {
    inner: T,
    line: Line,
    next: u64,
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Inlet<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let (sent, left) = (self.inner.send(item), self.line.left.clone());
        async move {
            let sent = sent.await;
            if sent.is_err() {
                left.send_replace(true);
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let mut received = self.inner.receive().await;
        match &mut received {
            None => {
                self.line.left.send_replace(true);
            }
            Some(JsonRpcMessage::Request(message)) => {
                if let ClientRequest::CallToolRequest(call) = &mut message.request {
                    call.extensions_mut().insert(self.turn());
                }
            }
            Some(_) => {}
        }
        received
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

impl<T> Inlet<T> {
    fn turn(&mut self) -> Turn {
        let (number, waiting) = (self.next, Arc::clone(&self.line.waiting));
        self.next += 1;
        waiting.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        Turn(Arc::new(Place { number, waiting }))
    }
}

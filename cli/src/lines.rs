//! A session for another program: the messages of the hub as lines of JSON on the standard output, and its commands
//! as lines on the standard input. A view of the hub like any other, over streams that every language has.

use std::io::{BufRead as _, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use freehand_agent::event::{Event, Listener};
use freehand_agent::supervision::{Hub, ToView};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::console::obey;
use crate::signals::Interrupt;
use crate::terminal::answer_json;

/// Who it is to other views.
const NAME: &str = "program";
/// Bytes that a command may have.
const LONGEST: u64 = 64 * 1024;
/// As long as the last messages may take to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells nobody: who reads the messages needs no second account of what happens.
pub struct Silence;

impl Listener for Silence {
    fn event(&self, _: Event) {}
}

/// A view that is spoken to as long as this lives. Dropped, it writes what is left to be told.
pub struct LineView {
    ends: Arc<AtomicBool>,
    end: Option<oneshot::Sender<()>>,
    /// Closed once all is written.
    written: Receiver<()>,
}

impl LineView {
    /// Tells of `hub` and takes commands for it; the end of the standard input asks the run to stop, since
    /// nobody would answer its questions.
    pub fn open(hub: &Hub, interrupt: &Interrupt) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let (reply, mut replies) = mpsc::unbounded_channel();
        let (commands, interrupt, until) = (hub.clone(), interrupt.clone(), Arc::clone(&ends));
        std::thread::spawn(move || {
            listen(&commands, &reply);
            if !until.load(Ordering::SeqCst) {
                interrupt.ask("stopping, since the standard input has ended");
            }
        });
        let (end, mut ended) = oneshot::channel();
        let (lives, written) = channel();
        let (mut updates, runtime) = (hub.join(None), Handle::current());
        std::thread::spawn(move || {
            let _lives: Sender<()> = lives;
            runtime.block_on(async move {
                loop {
                    tokio::select! {
                        biased;
                        message = updates.next() => answer_json(&message),
                        Some(reply) = replies.recv() => answer_json(&reply),
                        _ = &mut ended => return,
                    }
                }
            });
        });
        Self { ends, end: Some(end), written }
    }
}

impl Drop for LineView {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        drop(self.end.take());
        let _ = self.written.recv_timeout(PATIENCE);
    }
}

/// Obeys until the standard input ends.
fn listen(hub: &Hub, replies: &mpsc::UnboundedSender<ToView>) {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    while (&mut input).take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() && replies.send(obey(&text, hub, NAME)).is_err() {
            return;
        }
        line.clear();
    }
}

//! A line to one program, past the bus. A look asks hundreds of questions at once, each of which takes a program some
//! fifteen microseconds; here they go out together and the answers are taken in handfuls, so that asking costs less than
//! answering. With a connection of the library that speaks with the bus it costs more: being woken for each answer
//! alone, both sides compute longer (ADR 0026).

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::oneshot;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;

use super::reply::Fault;

mod message;

use message::Incoming;
pub(super) use message::{Answer, Question};

/// Bytes that are read at once, and as many as are written at once: what is given up before that is not asked.
const ROOM: usize = 1 << 16;
/// Times that is read before the answers are given away.
const READS: usize = 16;
/// Open questions from which on answers are taken in handfuls.
const MANY: usize = 32;
/// As long as a handful is gathered.
const GATHERING: Duration = Duration::from_micros(250);
/// Bytes of the longest word of a greeting.
const GREETING: u64 = 1 << 12;

/// A line to a program; it is hung up when the last copy goes.
#[derive(Debug, Clone)]
pub(super) struct Line(Arc<Held>);

#[derive(Debug)]
struct Held(Arc<Ends>);

/// What those that ask share with the thread that writes and reads.
#[derive(Debug)]
struct Ends {
    state: Mutex<State>,
    /// A byte here ends the rest of that thread.
    bell: UnixStream,
}

#[derive(Debug, Default)]
struct State {
    /// The questions that were not written yet, by their numbers.
    waiting: BTreeMap<u32, Vec<u8>>,
    /// Who waits for the answer to which question.
    open: HashMap<u32, oneshot::Sender<Result<Answer, Fault>>>,
    last: u32,
    /// Whether the thread waits for the bell.
    rests: bool,
    is_closed: bool,
}

/// A question that is forgotten when nobody waits for its answer any more.
struct Asked<'a> {
    ends: &'a Ends,
    number: u32,
    answer: oneshot::Receiver<Result<Answer, Fault>>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut state = self.ends.state();
        state.waiting.remove(&self.number);
        state.open.remove(&self.number);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close();
        self.0.ring();
    }
}

impl Line {
    /// Connects to a socket at an address like `unix:path=/run/user/1000/at-spi2-AB12/socket`.
    pub(super) async fn to(address: &str) -> Option<Self> {
        let address: zbus::Address = address.parse().ok()?;
        let Transport::Unix(unix) = address.transport() else { return None };
        let UnixSocket::File(path) = unix.path() else { return None };
        Self::over(tokio::net::UnixStream::connect(path).await.ok()?).await
    }

    async fn over(stream: tokio::net::UnixStream) -> Option<Self> {
        let mut stream = BufReader::new(stream);
        // The digits of the user's number, each byte of them in two digits of its own.
        let user = rustix::process::geteuid().as_raw().to_string();
        let user = user.bytes().map(|digit| format!("{digit:x}")).collect::<Vec<_>>().concat();
        stream.write_all(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes()).await.ok()?;
        let mut greeting = String::new();
        (&mut stream).take(GREETING).read_line(&mut greeting).await.ok()?;
        if !greeting.starts_with("OK ") {
            return None;
        }
        stream.write_all(b"BEGIN\r\n").await.ok()?;
        let stream = stream.into_inner().into_std().ok()?;
        let (bell, heard) = UnixStream::pair().ok()?;
        bell.set_nonblocking(true).and(heard.set_nonblocking(true)).ok()?;
        let ends = Arc::new(Ends { state: Mutex::default(), bell });
        let (out, came, buffer) = (Vec::new(), Vec::new(), vec![0; ROOM]);
        let mut wire = Wire { stream, heard, ends: ends.clone(), out, written: 0, buffer, came };
        let thread = std::thread::Builder::new().name("line to a program".into());
        thread.spawn(move || wire.run()).ok()?;
        Some(Self(Arc::new(Held(ends))))
    }

    /// Asks, and waits for the answer for as long as the program takes.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<Answer, Fault> {
        let mut asked = self.0.0.send(question)?;
        (&mut asked.answer).await.unwrap_or(Err(Fault::Broken))
    }

    /// Whether nothing is answered any more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.0.state().is_closed
    }
}

impl Ends {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, question: &Question<'_>) -> Result<Asked<'_>, Fault> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Fault::Broken);
        }
        // No question has the number 0.
        state.last = state.last.wrapping_add(1).max(1);
        let number = state.last;
        state.waiting.insert(number, question.written(number)?);
        let (asks, answer) = oneshot::channel();
        state.open.insert(number, asks);
        let rests = std::mem::take(&mut state.rests);
        drop(state);
        if rests {
            self.ring();
        }
        Ok(Asked { ends: self, number, answer })
    }

    fn ring(&self) {
        // When there is no room for it, it rings already.
        let _ = (&self.bell).write(&[0]);
    }

    /// Nothing is answered any more.
    fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.open.clear();
        state.waiting.clear();
    }
}

/// The thread's end of a line.
struct Wire {
    /// Never blocks.
    stream: UnixStream,
    heard: UnixStream,
    ends: Arc<Ends>,
    /// What is being written, and how much of it is.
    out: Vec<u8>,
    written: usize,
    /// What is read into.
    buffer: Vec<u8>,
    /// What came in and is no whole message yet.
    came: Vec<u8>,
}

/// The line is of no use any more.
struct HungUp;

#[expect(clippy::disallowed_methods, reason = "the thread is no one's but the line's")]
fn gather() {
    std::thread::sleep(GATHERING);
}

impl Wire {
    fn run(&mut self) {
        while self.turn().is_ok() {}
        self.ends.close();
    }

    /// Writes and reads what can be, and waits until there is more.
    fn turn(&mut self) -> Result<(), HungUp> {
        let wrote = self.write();
        let has_come = self.read()?;
        // What it has said before it went was heard.
        wrote?;
        let mut state = self.ends.state();
        if state.is_closed {
            return Err(HungUp);
        }
        if has_come && state.open.len() > MANY {
            drop(state);
            gather();
        } else if state.waiting.is_empty() || self.is_writing() {
            state.rests = true;
            drop(state);
            self.rest()?;
        }
        Ok(())
    }

    const fn is_writing(&self) -> bool {
        self.written < self.out.len()
    }

    fn write(&mut self) -> Result<(), HungUp> {
        loop {
            if !self.is_writing() {
                (self.out, self.written) = (Vec::new(), 0);
                let mut state = self.ends.state();
                while self.out.len() < ROOM
                    && let Some((_, question)) = state.waiting.pop_first()
                {
                    self.out.extend(question);
                }
            }
            let left = self.out.get(self.written..).unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            match self.stream.write(left) {
                Ok(written @ 1..) => self.written += written,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return Err(HungUp),
            }
        }
    }

    /// Gives the answers that are there to those that asked. Says whether anything came.
    fn read(&mut self) -> Result<bool, HungUp> {
        let (mut has_come, mut end) = (false, Ok(()));
        for _ in 0..READS {
            match self.stream.read(&mut self.buffer) {
                Ok(count @ 1..) => {
                    has_come = true;
                    self.came.extend(self.buffer.get(..count).unwrap_or_default());
                }
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => break,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    end = Err(HungUp);
                    break;
                }
            }
        }
        self.give()?;
        end.map(|()| has_come)
    }

    fn give(&mut self) -> Result<(), HungUp> {
        let mut taken = 0;
        let mut state = self.ends.state();
        while let Some((incoming, length)) =
            message::first(self.came.get(taken..).unwrap_or_default()).map_err(|_| HungUp)?
        {
            taken += length;
            if let Incoming::Answer(number, answer) = incoming
                && let Some(asks) = state.open.remove(&number)
            {
                // Who asked may have gone.
                let _ = asks.send(answer);
            }
        }
        drop(state);
        self.came.drain(..taken);
        if self.came.is_empty() {
            self.came.shrink_to(ROOM * READS);
        }
        Ok(())
    }

    /// Waits until something comes, can be written, or is asked.
    fn rest(&mut self) -> Result<(), HungUp> {
        let wanted = if self.is_writing() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut both = [PollFd::new(&self.stream, wanted), PollFd::new(&self.heard, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Err(HungUp),
        }
        while matches!(self.heard.read(&mut [0; 64]), Ok(1..)) {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;

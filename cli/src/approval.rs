//! Who answers the questions of a run: the person at the terminal, the person's `--yes`, or nobody.

use std::io::IsTerminal as _;

use anyhow::Result;
use async_trait::async_trait;
use freehand_policies::approver::{DenyAll, Terminal};
use freehand_policies::grants::Keeping;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver};

use crate::places;
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Whoever sits at the terminal.
    Person,
    /// The person has said yes to all of them beforehand.
    Yes,
    /// Nobody: the standard input is used for something else.
    Nobody,
}

impl Answers {
    /// The one who is asked. Without a terminal on both sides nobody is.
    pub fn approver(self, interrupt: &Interrupt) -> Result<Box<dyn Approver>> {
        Ok(match self {
            Self::Yes => Box::new(YesToAll),
            Self::Person => match at_terminal() {
                Some(asked) => keeping(Box::new(Interruptible { asked, interrupt: interrupt.clone() }))?,
                None => Box::new(DenyAll),
            },
            Self::Nobody => Box::new(DenyAll),
        })
    }

    /// Whether somebody will answer.
    pub fn are_possible(self) -> bool {
        match self {
            Self::Yes => true,
            Self::Person => std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            Self::Nobody => false,
        }
    }
}

/// The same, with what the person allows for good kept in the file of grants.
pub fn keeping(asked: Box<dyn Approver>) -> Result<Box<dyn Approver>> {
    let since = places::today();
    let told = |what: &str| terminal::say(Tone::Strong, what);
    Ok(Box::new(Keeping::new(asked, places::grants()?, since, told)))
}

fn at_terminal() -> Option<Box<dyn Approver>> {
    if !Answers::Person.are_possible() {
        return None;
    }
    let output = tokio::io::stderr();
    #[cfg(target_os = "linux")]
    {
        let input = keyboard::Keyboard::open().ok()?;
        Some(Box::new(Terminal::new(input, output).discarding(keyboard::discard)))
    }
    #[cfg(not(target_os = "linux"))]
    Some(Box::new(Terminal::new(tokio::io::stdin(), output)))
}

/// Nobody answers here; it is waited for those who are asked elsewhere.
pub fn elsewhere(interrupt: &Interrupt) -> Box<dyn Approver> {
    Box::new(Interruptible { asked: Box::new(Elsewhere), interrupt: interrupt.clone() })
}

#[derive(Debug, Clone, Copy)]
struct Elsewhere;

#[async_trait]
impl Approver for Elsewhere {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        std::future::pending().await
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// Answers yes, because the person said so for the whole run.
#[derive(Debug, Clone, Copy)]
struct YesToAll;

#[async_trait]
impl Approver for YesToAll {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        Approval::Once
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// Somebody whose answer is not waited for once the run is to stop.
#[derive(Debug)]
struct Interruptible {
    asked: Box<dyn Approver>,
    interrupt: Interrupt,
}

#[async_trait]
impl Approver for Interruptible {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        tokio::select! {
            answer = self.asked.ask(request) => answer,
            () = self.interrupt.asked() => Approval::deny("the run was stopped"),
        }
    }

    async fn question(&self, question: &str) -> Option<String> {
        tokio::select! {
            answer = self.asked.question(question) => answer,
            () = self.interrupt.asked() => None,
        }
    }
}

/// The terminal of the standard input, read without a thread that would outlive its question: the one
/// of `tokio::io::stdin` would take a late answer for the next question's.
#[cfg(target_os = "linux")]
mod keyboard {
    use std::fs::{File, OpenOptions};
    use std::future::Future as _;
    use std::io::{self, ErrorKind, Read as _};
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use rustix::fs::OFlags;
    use rustix::termios::{QueueSelector, tcflush};
    use tokio::io::{AsyncRead, ReadBuf};
    use tokio::time::{Instant, Sleep, sleep};

    /// How often it is looked whether something was typed: too short for a person to notice.
    const POLL: Duration = Duration::from_millis(50);

    pub(super) struct Keyboard {
        terminal: File,
        pause: Pin<Box<Sleep>>,
    }

    impl Keyboard {
        /// Opens the terminal anew, so that reading without waiting is ours alone and not that of
        /// every program that shares the standard input.
        pub(super) fn open() -> io::Result<Self> {
            let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
            let terminal = OpenOptions::new().read(true).custom_flags(flags).open("/proc/self/fd/0")?;
            Ok(Self { terminal, pause: Box::pin(sleep(Duration::ZERO)) })
        }
    }

    impl AsyncRead for Keyboard {
        fn poll_read(
            mut self: Pin<&mut Self>,
            task: &mut Context<'_>,
            room: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            loop {
                match self.terminal.read(room.initialize_unfilled()) {
                    Ok(count) => {
                        room.advance(count);
                        return Poll::Ready(Ok(()));
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
                if self.pause.is_elapsed() {
                    self.pause.as_mut().reset(Instant::now() + POLL);
                }
                ready!(self.pause.as_mut().poll(task));
            }
        }
    }

    /// Throws away what was typed and not read, an unfinished line included.
    pub(super) fn discard() {
        let _ = tcflush(std::io::stdin(), QueueSelector::IFlush);
    }
}

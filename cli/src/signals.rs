//! Ctrl-C and its like. The first asks what is under way to end cleanly, with nothing held down and the
//! record whole; the second ends the program where it stands.

use std::time::Duration;

use anyhow::{Context as _, Result};
use freehand_agent::outside::Stop;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::display;
use crate::exit::Code;
use crate::terminal::{self, Tone};

/// As long as what is stopped may take to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Returns once `stop` was asked for and there was time to end by itself: what is under way may wait for a
/// long while.
pub async fn overdue(stop: &Stop) {
    stop.stopped().await;
    tokio::time::sleep(GRACE).await;
}

/// Knows whether the person wants to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Interrupt {
    stop: Stop,
    asked: watch::Sender<bool>,
    pressed: watch::Sender<bool>,
    /// Whoever asks may be on a thread of their own.
    runtime: Handle,
}

impl Interrupt {
    /// Listens from now on, as long as the program runs.
    pub fn listen() -> Result<Self> {
        let mut signals = Signals::new().context("cannot listen for signals")?;
        let this = Self {
            stop: Stop::default(),
            asked: watch::Sender::new(false),
            pressed: watch::Sender::new(false),
            runtime: Handle::current(),
        };
        let own = this.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = signals.next() => own.ask("stopping; once more stops at once"),
                () = own.asked() => {}
            }
            tokio::select! {
                () = signals.next() => {}
                () = own.pressed() => {}
            }
            display::release_everything();
            crate::tui::give_back();
            std::process::exit(Code::Interrupted as i32);
        });
        Ok(this)
    }

    /// Asks to end, and lets go of everything at once: typing that is under way ends with it.
    pub fn ask(&self, words: &str) {
        self.stop.stop();
        if !*self.asked.borrow() {
            // Before anybody hears of it, who may end the program.
            terminal::say(Tone::Strong, words);
            self.runtime.spawn_blocking(display::release_everything);
        }
        self.asked.send_replace(true);
    }

    /// The person presses Ctrl-C in a view that has the terminal, where it is no signal: like one, the
    /// first asks and the second ends the program.
    pub fn again(&self) {
        if *self.asked.borrow() {
            self.pressed.send_replace(true);
        }
        self.ask("stopping; once more stops at once");
    }

    /// Returns once it was pressed again.
    async fn pressed(&self) {
        let _ = self.pressed.subscribe().wait_for(|pressed| *pressed).await;
    }

    /// What a run looks at.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Returns once it was asked to stop.
    pub async fn asked(&self) {
        // This very sender keeps the channel open.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
